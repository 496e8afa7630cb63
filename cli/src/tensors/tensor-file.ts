import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import type { DTypeName, TensorSpec } from '@canopy/protocol';
import { CommandError } from '../errors.js';
import { explain } from '../explain.js';
import type { PictureOptions } from '../images/picture-tensor.js';
import { readJsonTensor } from './json.js';
import { readNpy } from './npy.js';
import { typeText, type TensorValue } from './tensor-value.js';

type Reader = (path: string, spec: TensorSpec, picture: PictureOptions) => Promise<TensorValue>;

const readPicture: Reader = async (path, spec, options) => {
  const { decodePicture } = await import('../images/decode.js');
  const { pictureTensor } = await import('../images/picture-tensor.js');
  return pictureTensor(await decodePicture(await readFile(path)), spec, options);
};

const readers: Readonly<Record<string, Reader>> = {
  '.json': async (path, spec) =>
    readJsonTensor(new TextDecoder().decode(await readFile(path)), spec),
  '.npy': async (path) => readNpy(await readFile(path)),
  '.pb': async (path) => {
    const { readTensorProto } = await import('@canopy/partitioner/tensor-proto');
    return readTensorProto(path);
  },
  '.png': readPicture,
  '.jpg': readPicture,
  '.jpeg': readPicture,
};

/** Whether a file is read as a picture. */
export function isPicture(path: string): boolean {
  return readers[extname(path).toLowerCase()] === readPicture;
}

/** How NumPy calls a type. */
function numpyName(dtype: DTypeName): string {
  return dtype === 'bool' ? 'bool_' : dtype;
}

/**
 * Reads a tensor from a file: `.json` (nested lists of the type the model takes), `.npy` (NumPy), `.pb`
 * (ONNX TensorProto), or a picture, `.png` or `.jpg`. Throws {@link CommandError} naming the input, the file and what is wrong in it.
 */
export async function readTensorFile(
  path: string,
  spec: TensorSpec,
  picture: PictureOptions = {},
): Promise<TensorValue> {
  try {
    const ending = extname(path).toLowerCase();
    const read = readers[ending];
    if (!read) {
      throw new CommandError(`its name must end in ${Object.keys(readers).join(', ')}`);
    }
    const tensor = await read(path, spec, picture);
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
