import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import type { DTypeName, TensorSpec } from '@canopy/protocol';
import { CommandError } from '../errors.js';
import { explain } from '../explain.js';
import { readJsonTensor } from './json.js';
import { readNpy } from './npy.js';
import { typeText, type TensorValue } from './tensor-value.js';

type Reader = (path: string, spec: TensorSpec) => Promise<TensorValue>;

const readers: Readonly<Record<string, Reader>> = {
  '.json': async (path, spec) =>
    readJsonTensor(new TextDecoder().decode(await readFile(path)), spec),
  '.npy': async (path) => readNpy(await readFile(path)),
  '.pb': async (path) => {
    const { readTensorProto } = await import('@canopy/partitioner/tensor-proto');
    return readTensorProto(path);
  },
};

/** How NumPy calls a type. */
function numpyName(dtype: DTypeName): string {
  return dtype === 'bool' ? 'bool_' : dtype;
}

/**
 * Reads a tensor from a file: `.json` (nested lists of the type the model takes), `.npy` (NumPy) or
 * `.pb` (ONNX TensorProto). Throws {@link CommandError} naming the input, the file and what is wrong in it.
 */
export async function readTensorFile(path: string, spec: TensorSpec): Promise<TensorValue> {
  try {
    const ending = extname(path).toLowerCase();
    const read = readers[ending];
    if (!read) {
      throw new CommandError(`its name must end in ${Object.keys(readers).join(', ')}`);
    }
    const tensor = await read(path, spec);
    if (tensor.dtype !== spec.dtype) {
      throw new CommandError(
        `it holds ${typeText(tensor)}, the model takes ${typeText(spec)}` +
          (ending === '.npy' ? `: save it with .astype(numpy.${numpyName(spec.dtype)})` : ''),
      );
    }
    return tensor;
  } catch (error) {
    const reason = explain(error);
    throw new CommandError(
      `input "${spec.name}": ${reason.startsWith(path) ? reason : `${path}: ${reason}`}`,
    );
  }
}
