import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromHalfBits, toHalfBits } from './float16.js';

test('every half is itself again', () => {
  for (let bits = 0; bits < 0x10000; bits++) {
    const value = fromHalfBits(bits);
    if (Number.isNaN(value)) expect(fromHalfBits(toHalfBits(value))).toBeNaN();
    else expect(toHalfBits(value)).toBe(bits);
  }
});

test.each([
  [1, 0x3c00],
  [-2, 0xc000],
  [-0, 0x8000],
  [0.1, 0x2e66],
  [65504, 0x7bff],
  [65519.9, 0x7bff],
  [65520, 0x7c00],
  [-Infinity, 0xfc00],
  // Halfway between two: the even one.
  [1 + 2 ** -11, 0x3c00],
  [1 + 3 * 2 ** -11, 0x3c02],
  [2 ** -25, 0],
  [3 * 2 ** -25, 2],
])('%d has the bits %i', (value, bits) => {
  expect(toHalfBits(value)).toBe(bits);
});

test('the nearest half is taken', () => {
  fc.assert(
    fc.property(fc.double({ min: -65504, max: 65504, noNaN: true }), (value) => {
      const bits = toHalfBits(value);
      const error = Math.abs(fromHalfBits(bits) - value);
      for (const other of [bits - 1, bits + 1].filter((one) => (one & 0x7c00) !== 0x7c00)) {
        if (((other ^ bits) & 0x8000) !== 0 || other < 0) continue;
        expect(error).toBeLessThanOrEqual(Math.abs(fromHalfBits(other) - value));
      }
    }),
  );
});
