import type { DTypeName } from '@canopy/protocol';
import type { TestTensor } from '../engine.js';

export const byteTypes = ['int8', 'uint8'] as const;
export type ByteType = (typeof byteTypes)[number];

/** Bytes over all of their range, the same for the same seed. */
export function bytes(dtype: ByteType, dims: readonly number[], seed = 1): TestTensor {
  const count = dims.reduce((product, size) => product * size, 1);
  const least = dtype === 'int8' ? -128 : 0;
  let state = seed * 7919 + 1;
  const next = (): number => (state = (state * 1103515245 + 12345) % 2 ** 31);
  const data = Array.from({ length: count }, () => least + (Math.floor(next() / 65536) & 255));
  return { dtype, dims, data };
}

/** A scalar. */
export function one(dtype: DTypeName, value: number): TestTensor {
  return { dtype, dims: [], data: [dtype === 'float32' ? Math.fround(value) : value] };
}
