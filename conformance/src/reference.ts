import { InferenceSession, Tensor, type TypedTensor } from 'onnxruntime-node';
import type { BundleTensor, DTypeName } from '@canopy/protocol';

const arrays: Record<Exclude<DTypeName, 'bfloat16'>, (buffer: ArrayBuffer) => Tensor['data']> = {
  float32: (buffer) => new Float32Array(buffer),
  float64: (buffer) => new Float64Array(buffer),
  float16: (buffer) => new Uint16Array(buffer),
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

function toTensor({ dtype, dims, data }: BundleTensor): Tensor {
  if (dtype === 'bfloat16') throw new TypeError('onnxruntime-node takes no bfloat16');
  const elements = arrays[dtype](new Uint8Array(data).buffer);
  return new Tensor(dtype, elements, dims);
}

function fromTensor(name: string, tensor: Tensor): BundleTensor {
  const { data, dims, type } = tensor as TypedTensor<'float32'>;
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name, dtype: type, dims, data: bytes };
}

/** What onnxruntime makes of inputs, which are in the model's order; outputs in theirs. */
export async function runReference(
  model: string,
  inputs: readonly BundleTensor[],
): Promise<BundleTensor[]> {
  const session = await InferenceSession.create(model, {
    logSeverityLevel: 4,
    intraOpNumThreads: 1,
  });
  try {
    const feeds = Object.fromEntries(
      inputs.map((tensor, index) => [session.inputNames[index]!, toTensor(tensor)]),
    );
    const results = await session.run(feeds, { logSeverityLevel: 4 });
    return session.outputNames.map((name) => fromTensor(name, results[name]!));
  } finally {
    await session.release();
  }
}
