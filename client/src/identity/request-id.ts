/** Representation-independent hash of a request (interface specification, "Request ids"). */
import { sha256 } from '@noble/hashes/sha2';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils';
import { sha256 as nativeSha256 } from '../sha256.js';

function leb128(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Uint8Array.of(...bytes, Number(rest));
}

/** What agents put into a request besides plain values: principals, and times as `Expiry`. */
interface AgentValue {
  toUint8Array?: () => Uint8Array;
  toHash?: () => unknown;
}

function hashOf(value: unknown): Uint8Array {
  if (typeof value === 'string') return sha256(utf8ToBytes(value));
  if (typeof value === 'number' || typeof value === 'bigint') return sha256(leb128(BigInt(value)));
  if (value instanceof Uint8Array) return sha256(value);
  if (Array.isArray(value)) return sha256(concatBytes(...value.map(hashOf)));
  if (typeof value === 'object' && value !== null) {
    const known = value as AgentValue;
    if (known.toUint8Array) return sha256(known.toUint8Array());
    if (known.toHash) return hashOf(known.toHash());
    return requestIdOf(value);
  }
  throw new TypeError(`a request cannot hold a ${typeof value}`);
}

/** Values from so many bytes on are hashed by the platform, which takes a while to begin. */
const largeBytes = 4096;

/** {@link requestIdOf}, with large values hashed by the platform's own implementation. */
export async function nativeRequestIdOf(request: object): Promise<Uint8Array> {
  const fields = await Promise.all(
    Object.entries(request)
      .filter(([, value]) => value !== undefined)
      .map(async ([name, value]) => {
        const isLarge = value instanceof Uint8Array && value.length >= largeBytes;
        const hash = isLarge ? await nativeSha256(value) : hashOf(value);
        return concatBytes(sha256(utf8ToBytes(name)), hash);
      }),
  );
  return sha256(concatBytes(...fields.sort(compareBytes)));
}

/** The id of a request, of its fields that are there. */
export function requestIdOf(request: object): Uint8Array {
  const fields = Object.entries(request)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => concatBytes(sha256(utf8ToBytes(name)), hashOf(value)))
    .sort(compareBytes);
  return sha256(concatBytes(...fields));
}

function compareBytes(one: Uint8Array, other: Uint8Array): number {
  const at = one.findIndex((byte, index) => byte !== other[index]);
  return at < 0 ? 0 : one[at]! - other[at]!;
}
