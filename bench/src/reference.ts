import type { BundleTensor, DTypeName } from '@canopy/protocol';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** A model in onnxruntime-node on one thread: what answers and seconds are compared with. */
export interface Reference {
  /** Outputs in the order of the model. */
  run(inputs: readonly BundleTensor[]): Promise<BundleTensor[]>;
  close(): Promise<void>;
}

export async function openReference(path: string): Promise<Reference> {
  const session = await InferenceSession.create(path, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  return {
    async run(inputs) {
      const feeds = Object.fromEntries(inputs.map((tensor) => [tensor.name, toOnnx(tensor)]));
      const results = await session.run(feeds);
      return session.outputNames.map((name) => fromOnnx(name, results[name]!));
    },
    close: () => session.release(),
  };
}

function toOnnx(tensor: BundleTensor): Tensor {
  const bytes = tensor.data.slice().buffer;
  switch (tensor.dtype) {
    case 'float32':
      return new Tensor('float32', new Float32Array(bytes), tensor.dims);
    case 'int64':
      return new Tensor('int64', new BigInt64Array(bytes), tensor.dims);
    case 'int32':
      return new Tensor('int32', new Int32Array(bytes), tensor.dims);
    case 'bool':
      return new Tensor('bool', new Uint8Array(bytes), tensor.dims);
    default:
      throw new Error(`input "${tensor.name}" has type ${tensor.dtype}, which is not compared`);
  }
}

function fromOnnx(name: string, tensor: Tensor): BundleTensor {
  const { buffer, byteOffset, byteLength } = tensor.data as Float32Array;
  const data = new Uint8Array(buffer, byteOffset, byteLength);
  return { name, dtype: tensor.type as DTypeName, dims: tensor.dims, data };
}

/**
 * Says where `actual` differs from `expected` by more than 1e-3 absolute plus 1e-3 relative (f32) or
 * at all (other types); undefined where nowhere.
 */
export function firstDifference(
  actual: readonly BundleTensor[],
  expected: readonly BundleTensor[],
): string | undefined {
  for (const [index, want] of expected.entries()) {
    const got = actual[index];
    if (got?.dims.join() !== want.dims.join() || got.dtype !== want.dtype) {
      return `"${want.name}" is ${got?.dtype}[${got?.dims.join()}], not ${want.dtype}[${want.dims.join()}]`;
    }
    if (want.dtype !== 'float32') {
      if (Buffer.compare(got.data, want.data) !== 0) return `"${want.name}" differs`;
      continue;
    }
    const a = new Float32Array(got.data.slice().buffer);
    const b = new Float32Array(want.data.slice().buffer);
    const at = b.findIndex(
      (value, i) => !(Math.abs(a[i]! - value) <= 1e-3 + 1e-3 * Math.abs(value)),
    );
    if (at >= 0) return `"${want.name}"[${at}] is ${a[at]}, not ${b[at]}`;
  }
  return undefined;
}
