import type { PrincipalLike } from '../ic/ic.js';

/** A caller as a key of maps: a character for each byte, which costs far less than the principal's text. */
export function callerText(caller: PrincipalLike): string {
  return bytesAsText(caller.toUint8Array());
}

/** Bytes handed to one call of `fromCharCode`. */
const piece = 1024;

/** Bytes as a text of as many characters. */
export function bytesAsText(bytes: Uint8Array): string {
  let text = '';
  for (let start = 0; start < bytes.length; start += piece) {
    text += String.fromCharCode(...bytes.subarray(start, start + piece));
  }
  return text;
}

/** Inverse of {@link bytesAsText}. */
export function textAsBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
}
