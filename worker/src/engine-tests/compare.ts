import { expect } from 'vitest';
import type { TestTensor } from './engine.js';

/** A float32 tensor of random values in [-scale, scale), the same for the same seed. */
export function random(dims: readonly number[], seed = 1, scale = 1): TestTensor {
  const count = dims.reduce((product, dim) => product * dim, 1);
  const data = new Float32Array(count);
  let state = (seed * 2654435761) >>> 0 || 1;
  for (let i = 0; i < count; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    data[i] = ((state >>> 0) / 0x80000000 - 1) * scale;
  }
  return { dtype: 'float32', dims, data };
}

export function floats(dims: readonly number[], data: ArrayLike<number>): TestTensor {
  return { dtype: 'float32', dims, data: Float32Array.from(data) };
}

export function ints(
  values: readonly number[],
  dims: readonly number[] = [values.length],
): TestTensor {
  return { dtype: 'int64', dims, data: values };
}

/** Checks type, shape and every value: |a - b| <= tolerance * (1 + |b|); NaN equals NaN. */
export function expectClose(actual: TestTensor, expected: TestTensor, tolerance = 1e-5): void {
  expect(actual.dtype).toBe(expected.dtype);
  expect([...actual.dims]).toEqual([...expected.dims]);
  expect(actual.data.length).toBe(expected.data.length);
  for (let i = 0; i < expected.data.length; i++) {
    const [a, b] = [actual.data[i]!, expected.data[i]!];
    if (Object.is(a, b) || a === b) continue;
    if (!(Math.abs(a - b) <= tolerance * (1 + Math.abs(b)))) {
      expect.fail(`element ${i} of ${expected.dims.join('x')}: ${a}, expected ${b}`);
    }
  }
}
