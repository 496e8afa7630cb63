/**
 * 64-bit hash of a principal: the head lets requests of different keys take turns. Two FNV-1a
 * hashes of 32 bits, because big integers are slow in QuickJS.
 */
export function callerKey(principal: Uint8Array): bigint {
  let low = 0x811c9dc5;
  let high = 0x9dc5811c;
  for (const byte of principal) {
    low = Math.imul(low ^ byte, 0x01000193);
    high = Math.imul(high ^ byte, 0x01000193) ^ (low >>> 15);
  }
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}
