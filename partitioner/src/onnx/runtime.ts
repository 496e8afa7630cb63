import { InferenceSession, Tensor, type TypedTensor } from 'onnxruntime-node';
import { dtypeBytes, elementCount, type BundleTensor, type DTypeName } from '@canopy/protocol';

/** Tensors as onnxruntime has them, to and from raw bytes. */
const arrays: Record<
  Exclude<DTypeName, 'float16' | 'bfloat16'>,
  (buffer: ArrayBuffer) => Tensor['data']
> = {
  float32: (buffer) => new Float32Array(buffer),
  float64: (buffer) => new Float64Array(buffer),
  int8: (buffer) => new Int8Array(buffer),
  uint8: (buffer) => new Uint8Array(buffer),
  bool: (buffer) => new Uint8Array(buffer),
  int16: (buffer) => new Int16Array(buffer),
  uint16: (buffer) => new Uint16Array(buffer),
  int32: (buffer) => new Int32Array(buffer),
  uint32: (buffer) => new Uint32Array(buffer),
  int64: (buffer) => new BigInt64Array(buffer),
  uint64: (buffer) => new BigUint64Array(buffer),
};

/** A tensor for onnxruntime from little-endian bytes, which are copied. */
function toRuntimeTensor(tensor: Omit<BundleTensor, 'name'>): Tensor {
  const buffer = new Uint8Array(tensor.data).buffer;
  const { dtype, dims } = tensor;
  if (dtype === 'bfloat16') throw new TypeError('onnxruntime-node takes no bfloat16');
  return dtype === 'float16'
    ? new Tensor(dtype, new Uint16Array(buffer), dims)
    : new Tensor(dtype, arrays[dtype](buffer), dims);
}

/** The bytes of an onnxruntime tensor. */
function fromRuntimeTensor(name: string, tensor: Tensor): BundleTensor {
  const data = (tensor as TypedTensor<'float32'>).data;
  return {
    name,
    dtype: tensor.type as DTypeName,
    dims: tensor.dims,
    data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  };
}

/** Runs an open model on named tensors. */
export type RunModel = (feeds: readonly BundleTensor[]) => Promise<Map<string, BundleTensor>>;

/** Opens a model as it is, without clean-up, lets `use` run it, and closes it again. */
export async function withModel<T>(
  model: string | Uint8Array,
  use: (run: RunModel) => Promise<T>,
): Promise<T> {
  const options = { graphOptimizationLevel: 'disabled', logSeverityLevel: 4 } as const;
  const session =
    typeof model === 'string'
      ? await InferenceSession.create(model, options)
      : await InferenceSession.create(model, options);
  try {
    return await use(async (feeds) => {
      const results = await session.run(
        Object.fromEntries(feeds.map((feed) => [feed.name, toRuntimeTensor(feed)])),
      );
      return new Map(
        Object.entries(results).map(([name, tensor]) => [name, fromRuntimeTensor(name, tensor)]),
      );
    });
  } finally {
    await session.release();
  }
}

/** Runs a model once. */
export function runOnce(
  model: string | Uint8Array,
  feeds: readonly BundleTensor[],
): Promise<Map<string, BundleTensor>> {
  return withModel(model, (run) => run(feeds));
}

/** Made-up data for an input: small numbers that differ from element to element, always the same. */
export function sampleTensor(
  name: string,
  dtype: DTypeName,
  dims: readonly number[],
  seed = 1,
): BundleTensor {
  const count = elementCount(dims);
  const data = new Uint8Array(count * dtypeBytes(dtype));
  const view = new DataView(data.buffer);
  let state = seed;
  for (let index = 0; index < count; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const unit = state / 2 ** 32;
    switch (dtype) {
      case 'float32':
        view.setFloat32(index * 4, unit * 2 - 1, true);
        break;
      case 'float64':
        view.setFloat64(index * 8, unit * 2 - 1, true);
        break;
      case 'int64':
      case 'uint64':
        view.setBigInt64(index * 8, unit < 0.25 ? 0n : 1n, true);
        break;
      case 'int32':
      case 'uint32':
        view.setInt32(index * 4, unit < 0.25 ? 0 : 1, true);
        break;
      case 'int8':
      case 'uint8':
      case 'bool':
        data[index] = unit < 0.25 ? 0 : 1;
        break;
      case 'int16':
      case 'uint16':
        view.setInt16(index * 2, unit < 0.25 ? 0 : 1, true);
        break;
      case 'float16':
        view.setUint16(index * 2, 0x3c00, true);
        break;
      case 'bfloat16':
        view.setUint16(index * 2, 0x3f80, true);
        break;
    }
  }
  return { name, dtype, dims, data };
}
