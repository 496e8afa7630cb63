import { Tensor } from 'onnxruntime-common';
import { DType, type BundleTensor, type DTypeName } from '@canopy/protocol';
import { CanopyError } from '../errors.js';
import { viewAs, type NumericArray } from './typed-array.js';

/** A tensor as onnxruntime's packages have it; any release of theirs fits. */
export interface TensorLike {
  readonly type: string;
  readonly data: unknown;
  readonly dims: readonly number[];
}

/** Wraps a feed for sending; its data are not copied. Throws `bad-feeds`. */
export function toBundleTensor(name: string, tensor: TensorLike): BundleTensor {
  const { type, data, dims } = tensor;
  if (!(type in DType) || !ArrayBuffer.isView(data)) {
    throw new CanopyError(
      'bad-feeds',
      `feed "${name}": a tensor of type ${type} cannot be sent; known: ${Object.keys(DType).join(', ')}`,
    );
  }
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name, dtype: type as DTypeName, dims, data: bytes };
}

/** Makes onnxruntime's tensor of a result; the data are copied, so that they are aligned. */
export function toOrtTensor(tensor: BundleTensor): Tensor {
  const copy = new Uint8Array(tensor.data);
  const construct = Tensor as unknown as new (
    type: string,
    data: NumericArray,
    dims: readonly number[],
  ) => Tensor;
  return new construct(tensor.dtype, viewAs(tensor.dtype, copy), tensor.dims);
}
