import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { PartitionError } from '../error.js';
import { identifyFile } from './identify.js';
import { readOnnxParts, type PartialGraph } from './read-model.js';
import { MalformedFile } from './wire.js';

/** Whether a file begins as ONNX models do: with their version (field 1), a small number. */
function beginsAsOnnx(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const start = new Uint8Array(2);
    readSync(file, start, 0, 2, 0);
    return start[0] === 0x08 && start[1]! > 0 && start[1]! < 64;
  } finally {
    closeSync(file);
  }
}

/**
 * Reads a model file that a user has given.
 *
 * Throws {@link PartitionError} `bad-model`: what the file is in place of a whole ONNX model, and how
 * to get one.
 */
export function openModel(path: string): PartialGraph {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw new PartitionError('bad-model', `there is no file ${path}`);
  try {
    if (found.isDirectory()) throw new MalformedFile(`${path} is a folder`);
    return readOnnxParts(path);
  } catch (error) {
    if (!(error instanceof MalformedFile)) throw error;
    const other = identifyFile(path);
    if (other) {
      throw new PartitionError(
        'bad-model',
        `${path} is ${other.what}, not an ONNX model: ${other.advice}`,
        { cause: error },
      );
    }
    if (beginsAsOnnx(path)) {
      throw new PartitionError(
        'bad-model',
        `${path} begins as an ONNX model but is cut short or damaged, ${found.size} bytes long: ` +
          `download or export it again (${error.message})`,
        { cause: error },
      );
    }
    throw new PartitionError(
      'bad-model',
      `${path} is not an ONNX model: give the .onnx file (${error.message})`,
      { cause: error },
    );
  }
}
