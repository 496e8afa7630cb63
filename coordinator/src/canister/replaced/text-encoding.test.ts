import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TextDecoder, TextEncoder } from './text-encoding.js';

const platform = {
  encode: (text: string): Uint8Array => new globalThis.TextEncoder().encode(text),
  decode: (bytes: Uint8Array, fatal = false): string =>
    new globalThis.TextDecoder('utf-8', { fatal }).decode(bytes),
};
/** Text with lone surrogates too. */
const anyText = fc.array(fc.nat(0x10ffff)).map((points) => String.fromCodePoint(...points));
/** Bytes that are nearly UTF-8: starts, tails, and limits of what may follow. */
const nearly = fc.constantFrom(
  ...[0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xdf, 0xe0, 0xe1, 0xed],
  ...[0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff],
);
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.array(nearly, { maxLength: 12 }).map((bytes) => Uint8Array.from(bytes)),
);

describe('UTF-8 is what the platform makes of it', () => {
  test('encode', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), anyText), (text) => {
        expect(new TextEncoder().encode(text)).toEqual(platform.encode(text));
      }),
    );
  });

  test('decode', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        expect(new TextDecoder().decode(bytes)).toBe(platform.decode(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  test('a fatal decoder throws where the platform does', () => {
    const fatal = new TextDecoder('utf8', { fatal: true });
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        let expected: string | undefined;
        try {
          expected = platform.decode(bytes, true);
        } catch {
          expect(() => fatal.decode(bytes)).toThrow(TypeError);
          return;
        }
        expect(fatal.decode(bytes)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  test('a byte order mark, long text, nothing', () => {
    expect(new TextDecoder().decode(Uint8Array.of(0xef, 0xbb, 0xbf, 0x41))).toBe('A');
    const long = 'abc'.repeat(5000);
    expect(new TextDecoder().decode(new TextEncoder().encode(long))).toBe(long);
    expect(new TextDecoder().decode()).toBe('');
    expect(() => new TextDecoder('latin1')).toThrow(RangeError);
  });
});
