import { viewAs, type NumericArray } from '@canopy/client/typed-array';
import type { BundleTensor } from '@canopy/protocol';

/** A tensor without a name. Its data may lie anywhere in a buffer: see {@link elements}. */
export type TensorValue = Pick<BundleTensor, 'dtype' | 'dims' | 'data'>;

/** Bytes as they are, or a copy where they do not begin at a multiple of 8 bytes of their buffer. */
export function aligned(bytes: Uint8Array): Uint8Array {
  return bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
}

/** Elements of a tensor; of float16 their bits. */
export function elements({ dtype, data }: Pick<TensorValue, 'dtype' | 'data'>): NumericArray {
  return viewAs(dtype, aligned(data));
}

/** `float32[2,3]`, for texts. */
export function typeText({ dtype, dims }: { dtype: string; dims: readonly unknown[] }): string {
  return `${dtype}[${dims.join(',')}]`;
}
