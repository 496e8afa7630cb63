import { describe, expect, test } from 'vitest';
import type { BundleTensor, DTypeName } from '@canopy/protocol';
import { dtypeBytes, elementCount } from '@canopy/protocol';
import { samplePlan } from '../../testing/fake-ic.js';
import { admitInputs } from './inputs.js';

function tensor(name: string, dtype: DTypeName, dims: number[]): BundleTensor {
  return { name, dtype, dims, data: new Uint8Array(elementCount(dims) * dtypeBytes(dtype)) };
}
const x = tensor('x', 'float32', [3, 2]);
const mask = tensor('mask', 'int64', [3]);

describe('admitInputs', () => {
  test('gives the tensors in the order of the first stage', () => {
    expect(admitInputs(samplePlan(), [x, mask])).toEqual([mask, x]);
    expect(admitInputs(samplePlan(), [mask, x])).toEqual([mask, x]);
  });

  test('takes an open dimension of size 0', () => {
    const none = [tensor('x', 'float32', [0, 2]), tensor('mask', 'int64', [0])];
    expect(admitInputs(samplePlan(), none)).toEqual(none.toReversed());
  });

  test.each([
    ['missing', [x], 'input "mask" int64[batch] is missing'],
    [
      'unknown',
      [x, mask, tensor('z', 'float32', [1])],
      'input "z" is unknown; the model takes "x"',
    ],
    ['twice', [x, x, mask], 'given twice'],
    [
      'type',
      [tensor('x', 'float64', [3, 2]), mask],
      'input "x": expected float32[batch,2], given float64[3,2]: the type must be float32',
    ],
    ['rank', [tensor('x', 'float32', [6]), mask], 'it must have 2 dimensions, not 1'],
    ['size', [tensor('x', 'float32', [3, 5]), mask], 'dimension 1 must be 2, not 5'],
    [
      'open dimension',
      [x, tensor('mask', 'int64', [4])],
      'input "mask": expected int64[batch], given int64[4]: dimension 0 ("batch") is 4, but 3 in "x"',
    ],
  ])('refuses: %s', (_, tensors, text) => {
    expect(() => admitInputs(samplePlan(), tensors)).toThrow(text);
  });
});
