import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  blob,
  bool,
  CandidError,
  decode,
  decodeGeneric,
  encode,
  int32,
  nat,
  nat64,
  nul,
  opt,
  principal,
  record,
  text,
  variant,
  vec,
} from './index.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

describe('encoding', () => {
  test('a type gets its index before the types it contains', () => {
    const type = record({ id: blob, total_size: nat64, taken_at_timestamp: nat64 });
    const value = { id: bytes('0102'), total_size: 3n, taken_at_timestamp: 4n };
    expect(hex(encode(type, value))).toBe(
      '4449444c026c03dbb70101dc84e196077882bff3a50d786d7b0100020102' +
        '03000000000000000400000000000000',
    );
  });

  test('equal types share an entry', () => {
    const type = record({ a: opt(nat), b: opt(nat) });
    expect(hex(encode(type, { a: 1n, b: undefined }))).toBe(
      '4449444c026c026101' + '62016e7d01000101' + '00',
    );
  });
});

const message = record({
  flag: bool,
  count: nat,
  signed: int32,
  name: text,
  who: principal,
  data: blob,
  maybe: opt(nat64),
  list: vec(record({ 0: text, 1: nat })),
  choice: variant({ none: nul, some: nat }),
});

const messages = fc.record({
  flag: fc.boolean(),
  count: fc.bigInt({ min: 0n, max: 1n << 130n }),
  signed: fc.integer(),
  name: fc.string(),
  who: fc.uint8Array({ maxLength: 29 }),
  data: fc.uint8Array({ maxLength: 600 }),
  maybe: fc.option(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), { nil: undefined }),
  list: fc.array(fc.record({ 0: fc.string(), 1: fc.bigInt({ min: 0n, max: 1n << 70n }) })),
  choice: fc.oneof(
    fc.constant({ none: null }),
    fc.record({ some: fc.bigInt({ min: 0n, max: 300n }) }),
  ),
});

describe('decoding', () => {
  test('gives back what was encoded', () => {
    fc.assert(
      fc.property(messages, (value) => {
        expect(decode(message, encode(message, value))).toEqual(value);
      }),
    );
  });

  test('fields that are not expected are skipped, optional ones may be missing', () => {
    const sent = encode(message, {
      flag: true,
      count: 5n,
      signed: -1,
      name: 'x',
      who: bytes('04'),
      data: new Uint8Array(3),
      maybe: 7n,
      list: [{ 0: 'a', 1: 1n }],
      choice: { some: 2n },
    });
    const wanted = record({ count: nat, absent: opt(text), maybe: opt(nat64) });
    expect(decode(wanted, sent)).toEqual({ count: 5n, absent: undefined, maybe: 7n });
  });

  test('an optional field of another type reads as absent', () => {
    const sent = encode(record({ a: text, b: nat }), { a: 'no number', b: 1n });
    expect(decode(record({ a: opt(nat), b: nat }), sent)).toEqual({ a: undefined, b: 1n });
  });

  test('without an expected type', () => {
    const [value] = decodeGeneric(encode(record({ a: nat }), { a: 9n }));
    expect(value).toEqual({ fields: new Map([[97, 9n]]) });
  });

  test.each([
    [
      '67617262616765',
      'Cannot parse header 67617262616765: binary parser error: Unexpected bytes at byte offset 0',
    ],
    ['78', 'Cannot parse header 78: binary parser error: io error'],
  ])('%s is no Candid', (payload, text) => {
    expect(() => decode(message, bytes(payload))).toThrow(new CandidError(text));
  });

  test('cut payloads are refused, never read past', () => {
    const whole = encode(record({ data: blob, count: nat }), {
      data: new Uint8Array(40),
      count: 300n,
    });
    for (let length = 0; length < whole.length; length++) {
      const part = whole.subarray(0, length);
      expect(() => decode(record({ data: blob, count: nat }), part)).toThrow(CandidError);
    }
  });
});
