import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteWriter } from '@canopy/protocol';
import { GatherWriter } from './gather-writer.js';

const field = fc.oneof(
  fc.nat(0xffffffff),
  fc.uint8Array({ maxLength: 20 }),
  fc.uint8Array({ minLength: 200, maxLength: 600 }),
);

function write(out: ByteWriter, fields: readonly (number | Uint8Array)[]): Uint8Array {
  for (const value of fields) {
    if (typeof value === 'number') out.u32(value);
    else out.bytes(value);
  }
  return out.finish();
}

test('gives the bytes that a ByteWriter gives', () => {
  fc.assert(
    fc.property(fc.array(field), (fields) => {
      expect(write(new GatherWriter(), fields)).toEqual(write(new ByteWriter(), fields));
    }),
  );
});

test('takes a buffer of the exact size for large blocks', () => {
  const out = new GatherWriter().u32(1).bytes(new Uint8Array(5000)).u8(2).finish();
  expect(out.buffer.byteLength).toBe(5005);
});

test('writes in place what it writes in a copy', () => {
  const before = fc.nat(40);
  fc.assert(
    fc.property(before, fc.array(field), field, (offset, fields, last) => {
      const expected = write(new ByteWriter(), [...fields, last]);
      const out = new GatherWriter();
      write(out, fields);
      if (typeof last === 'number') out.u32(last);
      else {
        const message = new Uint8Array(offset + last.length);
        message.set(last, offset);
        out.bytes(message.subarray(offset));
      }
      expect(out.finishInPlace()).toEqual(expected);
    }),
  );
  const message = new Uint8Array(1000).fill(7);
  const whole = new GatherWriter().u32(1).bytes(message.subarray(100)).finishInPlace();
  expect(whole.buffer).toBe(message.buffer);
  expect(Array.from(message.subarray(94, 102))).toEqual([7, 7, 1, 0, 0, 0, 7, 7]);
});
