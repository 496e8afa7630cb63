import { expect, it } from 'vitest';
import { floatTensor } from '../models/inputs.js';
import { differenceOf, requireSmall } from './difference.js';

const tensor = (...values: number[]) =>
  floatTensor('logits', [1, values.length], Float32Array.from(values));

it('tells the largest difference and the angle', () => {
  const difference = differenceOf(tensor(1, 0, -4), tensor(1, 3, -4));
  expect(difference).toMatchObject({ largest: 3, magnitude: 4 });
  expect(difference.cosine).toBeCloseTo(17 / Math.sqrt(17 * 26), 6);
  expect(() => differenceOf(tensor(1), tensor(1, 2))).toThrow('[1,1], not [1,2]');
});

it('allows what rounding to integers explains, and no more', () => {
  const exact = differenceOf(tensor(1, 2), tensor(1, 2));
  const close = differenceOf(tensor(1, 2.01), tensor(1, 2));
  const far = differenceOf(tensor(2, 1), tensor(1, 2));
  requireSmall(exact, 'f32');
  requireSmall(close, 'int8');
  expect(() => {
    requireSmall(close, 'f32');
  }).toThrow('more than f32 weights explain');
  expect(() => {
    requireSmall(far, 'int4');
  }).toThrow('more than int4 weights explain');
  const nothing = differenceOf(tensor(NaN, 1), tensor(1, 2));
  expect(() => {
    requireSmall(nothing, 'int4');
  }).toThrow('more than');
});
