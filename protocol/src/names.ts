import { ProtocolError } from './error.js';

/** Most bytes of a name in UTF-8: what its length, a u16, can tell. */
export const maxNameBytes = 0xffff;

const utf8 = new TextEncoder();

/** A name by which tensors are found, in UTF-8. Throws {@link ProtocolError} where it is too long. */
export function encodeName(name: string): Uint8Array {
  const bytes = utf8.encode(name);
  if (bytes.length <= maxNameBytes) return bytes;
  throw new ProtocolError(
    'bad-value',
    `the name "${name.slice(0, 40)}…" is ${bytes.length} bytes long, at most ${maxNameBytes} are ` +
      'possible: rename it in the model',
  );
}

/** A name that only texts use, in UTF-8; where it is too long without its last whole characters. */
export function encodeLabel(name: string): Uint8Array {
  const bytes = new Uint8Array(Math.min(maxNameBytes, 3 * name.length));
  return bytes.subarray(0, utf8.encodeInto(name, bytes).written);
}

/** A name that only texts use, as {@link encodeLabel} leaves it. */
export function shortName(name: string): string {
  return 3 * name.length <= maxNameBytes ? name : new TextDecoder().decode(encodeLabel(name));
}
