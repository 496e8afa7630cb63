/** In place of SHA-224, by which principals are made of public keys: no key comes to a canister. */
export function sha224(): never {
  throw new Error('the coordinator makes no principals of keys');
}
