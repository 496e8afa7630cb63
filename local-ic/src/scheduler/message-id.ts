import { createHash } from 'node:crypto';

function sha256(...parts: (Uint8Array | string)[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function leb128(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return Uint8Array.from(bytes);
}

/** Request id of a call (interface specification, "Request ids"). */
export function messageIdOf(call: {
  readonly sender: Uint8Array;
  readonly canisterId: Uint8Array;
  readonly method: string;
  readonly arg: Uint8Array;
  readonly expiry: bigint;
  readonly nonce?: Uint8Array;
}): Uint8Array {
  const fields: [string, Uint8Array | string][] = [
    ['request_type', 'call'],
    ['canister_id', call.canisterId],
    ['method_name', call.method],
    ['arg', call.arg],
    ['sender', call.sender],
    ['ingress_expiry', leb128(call.expiry)],
  ];
  if (call.nonce) fields.push(['nonce', call.nonce]);
  const hashes = fields.map(([name, value]) => Buffer.concat([sha256(name), sha256(value)]));
  hashes.sort((a, b) => Buffer.compare(a, b));
  return new Uint8Array(sha256(...hashes));
}
