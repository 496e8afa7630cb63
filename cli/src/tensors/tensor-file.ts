import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import type { TensorSpec } from '@canopy/protocol';
import { CommandError } from '../errors.js';
import { readJsonTensor } from './json.js';
import { readNpy } from './npy.js';
import { readTensorProto } from './pb.js';
import type { TensorValue } from './tensor-value.js';

/**
 * Reads a tensor from a file: `.json` (nested lists of the type the model takes), `.npy` (NumPy) or
 * `.pb` (ONNX TensorProto). Throws {@link CommandError} naming the file and what is wrong in it.
 */
export async function readTensorFile(path: string, spec: TensorSpec): Promise<TensorValue> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new CommandError(
      `input "${spec.name}": cannot read ${path}: ${(error as Error).message}`,
    );
  }
  try {
    switch (extname(path).toLowerCase()) {
      case '.json':
        return readJsonTensor(new TextDecoder().decode(bytes), spec.dtype);
      case '.npy':
        return readNpy(bytes);
      case '.pb':
        return readTensorProto(bytes);
      default:
        throw new CommandError('its name must end in .json, .npy or .pb');
    }
  } catch (error) {
    throw new CommandError(`input "${spec.name}": ${path}: ${(error as Error).message}`);
  }
}
