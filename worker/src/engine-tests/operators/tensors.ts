import { dtypeBytes, type DTypeName } from '@canopy/protocol';
import type { Bytes } from '../../testing/metered-engine.js';

/** A large tensor for counts of instructions, of zeros. */
export function zeros(dtype: DTypeName, dims: readonly number[]): Bytes {
  const count = dims.reduce((product, size) => product * size, 1);
  return { dtype, dims, bytes: new Uint8Array(count * dtypeBytes(dtype)) };
}

/** A list of int64. */
export function longs(values: readonly number[]): Bytes {
  const data = BigInt64Array.from(values, BigInt);
  return { dtype: 'int64', dims: [values.length], bytes: new Uint8Array(data.buffer) };
}
