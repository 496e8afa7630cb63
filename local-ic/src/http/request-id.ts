import { createHash } from 'node:crypto';
import { leb128 } from '../certification/index.js';

/** A value of a request's content. */
export type Hashable =
  | string
  | number
  | bigint
  | Uint8Array
  | readonly Hashable[]
  | { readonly [name: string]: Hashable | undefined };

/**
 * Representation-independent hash of a structure (IC interface specification, "Request ids"). The
 * hash of a call's content is its request id.
 */
export function hashOfMap(map: { readonly [name: string]: Hashable | undefined }): Uint8Array {
  const pairs = Object.entries(map)
    .filter((entry): entry is [string, Hashable] => entry[1] !== undefined)
    .map(([name, value]) => Buffer.concat([sha256(Buffer.from(name)), hashOf(value)]))
    .sort((a, b) => Buffer.compare(a, b));
  return sha256(Buffer.concat(pairs));
}

function hashOf(value: Hashable): Uint8Array {
  if (typeof value === 'string') return sha256(Buffer.from(value));
  if (typeof value === 'number' || typeof value === 'bigint') return sha256(leb128(BigInt(value)));
  if (value instanceof Uint8Array) return sha256(value);
  if (Array.isArray(value)) return sha256(Buffer.concat((value as Hashable[]).map(hashOf)));
  return hashOfMap(value as { readonly [name: string]: Hashable | undefined });
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}
