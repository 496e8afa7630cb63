import { decode } from '@dfinity/cbor';
import { Principal } from '@dfinity/principal';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cborParts } from './cbor-parts.js';

function whole(request: object): Uint8Array {
  return new Uint8Array(Buffer.concat(cborParts(request)));
}

test('what is written is read again', () => {
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.string(),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      fc.uint8Array({ maxLength: 300 }),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.string({ maxLength: 5 }), tie('value'), {
        maxKeys: 3,
        noNullPrototype: true,
      }),
    ),
  }));
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ maxLength: 5 }), value, { noNullPrototype: true }),
      (one) => {
        const number = (item: unknown): unknown => {
          if (typeof item === 'bigint')
            return item <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(item) : item;
          if (item instanceof Uint8Array || typeof item !== 'object') return item;
          if (Array.isArray(item)) return item.map(number);
          return Object.fromEntries(
            Object.entries(item!).map(([name, field]) => [name, number(field)]),
          );
        };
        expect(number(decode(whole(one)))).toEqual(number(one));
      },
    ),
  );
});

test('large bytes are parts of their own', () => {
  const arg = new Uint8Array(70_000).fill(5);
  const request = { content: { arg, sender: Principal.anonymous(), left: undefined } };
  expect(cborParts(request)[1]).toBe(arg);
  expect(decode(whole(request))).toEqual({ content: { arg, sender: Uint8Array.of(4) } });
});

test('what has no place in a request is refused', () => {
  expect(() => cborParts({ a: null })).toThrow('a request cannot hold a object');
  expect(() => cborParts({ a: true })).toThrow('a request cannot hold a boolean');
});
