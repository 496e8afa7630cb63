import { constantBytes } from '../graph/constant.js';
import type { DTypeName } from '@canopy/protocol';
import { readTensor } from './read-tensor.js';
import { WireFile, WireReader } from './wire.js';

/**
 * Reads a file that holds one ONNX `TensorProto`, as the test data of ONNX models do. The data are a
 * copy at the beginning of a buffer of their own. Throws {@link PartitionError}.
 */
export function readTensorProto(path: string): {
  dtype: DTypeName;
  dims: readonly number[];
  data: Uint8Array;
  /** Whether the file has int4 or uint4. */
  fourBits: boolean;
} {
  const file = new WireFile(path);
  try {
    const { constant } = readTensor(new WireReader(file, 0, file.size), 'tensor');
    const data = new Uint8Array(constant.read(0, constantBytes(constant)));
    const { dtype, dims, packed } = constant;
    return { dtype, dims, data, fourBits: packed !== undefined };
  } finally {
    file.close();
  }
}
