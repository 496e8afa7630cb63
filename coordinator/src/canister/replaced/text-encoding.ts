/**
 * `TextEncoder` and `TextDecoder` for UTF-8, in place of the package azle takes them from, whose
 * tables of other encodings fill half of the canister's heap (scripts/compile.mjs puts this there).
 * Specification: https://encoding.spec.whatwg.org/#utf-8
 */

const notAscii = /[^\0-\x7f]/;
const replacement = 0xfffd;
/** Characters that one call of `String.fromCharCode` takes, far below the limit of arguments. */
const callLimit = 4096;

export class TextEncoder {
  readonly encoding = 'utf-8';

  /** UTF-8 of a text; a lone surrogate becomes U+FFFD. */
  encode(text = ''): Uint8Array<ArrayBuffer> {
    return notAscii.test(text) ? encodeAny(text) : encodeAscii(text);
  }
}

function encodeAscii(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
}

function encodeAny(text: string): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  for (const character of text) {
    const point = character.codePointAt(0)!;
    pushUtf8(bytes, point >= 0xd800 && point < 0xe000 ? replacement : point);
  }
  return Uint8Array.from(bytes);
}

function pushUtf8(bytes: number[], point: number): void {
  const tail = (shift: number): number => 0x80 | ((point >> shift) & 0x3f);
  if (point < 0x80) bytes.push(point);
  else if (point < 0x800) bytes.push(0xc0 | (point >> 6), tail(0));
  else if (point < 0x10000) bytes.push(0xe0 | (point >> 12), tail(6), tail(0));
  else bytes.push(0xf0 | (point >> 18), tail(12), tail(6), tail(0));
}

export class TextDecoder {
  readonly encoding = 'utf-8';
  readonly fatal: boolean;

  /** Throws RangeError where `label` is another encoding than UTF-8. */
  constructor(label = 'utf-8', options: { fatal?: boolean } = {}) {
    if (!/^utf-?8$/i.test(label)) throw new RangeError(`encoding "${label}" is not UTF-8`);
    this.fatal = options.fatal ?? false;
  }

  /**
   * Text of UTF-8, without the byte order mark it may begin with. What is malformed becomes U+FFFD,
   * or throws TypeError where the decoder is fatal.
   */
  decode(bytes = new Uint8Array()): string {
    let latin = '';
    for (let start = 0; start < bytes.length; start += callLimit) {
      const part = bytes.subarray(start, start + callLimit);
      // Not spread: QuickJS takes a thousand instructions an element for that.
      latin += String.fromCharCode.apply(null, part as unknown as number[]);
    }
    return notAscii.test(latin) ? decodeAny(bytes, this.fatal) : latin;
  }
}

function decodeAny(bytes: Uint8Array, fatal: boolean): string {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  let text = '';
  for (let at = hasMark ? 3 : 0; at < bytes.length;) {
    const { point, length } = readUtf8(bytes, at);
    if (point === undefined && fatal) throw new TypeError(`byte ${at} is not UTF-8`);
    text += String.fromCodePoint(point ?? replacement);
    at += length;
  }
  return text;
}

/** The code point at an offset; undefined, with the bytes it takes, where it is malformed. */
function readUtf8(bytes: Uint8Array, start: number): { point?: number; length: number } {
  const first = bytes[start]!;
  if (first < 0x80) return { point: first, length: 1 };
  const tails = first < 0xc2 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : 0;
  if (tails === 0) return { length: 1 };
  let point = first & (0x3f >> tails);
  for (let tail = 1; tail <= tails; tail++) {
    const byte = bytes[start + tail];
    if (byte === undefined || !isTail(first, tail, byte)) return { length: tail };
    point = (point << 6) | (byte & 0x3f);
  }
  return { point, length: tails + 1 };
}

/** Whether a byte may follow; the second one is narrowed for overlong forms and surrogates. */
function isTail(first: number, position: number, byte: number): boolean {
  let low = 0x80;
  let high = 0xbf;
  if (position === 1) {
    if (first === 0xe0) low = 0xa0;
    if (first === 0xed) high = 0x9f;
    if (first === 0xf0) low = 0x90;
    if (first === 0xf4) high = 0x8f;
  }
  return byte >= low && byte <= high;
}
