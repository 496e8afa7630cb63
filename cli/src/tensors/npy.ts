import { dtypeBytes, elementCount, type DTypeName } from '@canopy/protocol';
import { CommandError } from '../errors.js';
import type { TensorValue } from './tensor-value.js';

/** NumPy's type codes without byte order. Source: numpy.org, "array interface". */
const dtypes: Record<string, DTypeName> = {
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  i1: 'int8',
  i2: 'int16',
  i4: 'int32',
  i8: 'int64',
  u1: 'uint8',
  u2: 'uint16',
  u4: 'uint32',
  u8: 'uint64',
  b1: 'bool',
  // NumPy has no bfloat16: ml_dtypes saves it as two bytes without a meaning.
  V2: 'bfloat16',
};
const codes = Object.fromEntries(
  Object.entries(dtypes).map(([code, name]) => [name, code]),
) as Record<DTypeName, string>;
const magic = '\x93NUMPY';
const latin1 = new TextDecoder('latin1');

/** The description of the array, and where its data begin. */
function header(bytes: Uint8Array): { text: string; dataStart: number } {
  if (latin1.decode(bytes.subarray(0, 2)) === 'PK') {
    throw new CommandError('an archive of arrays (.npz): save the one array with numpy.save()');
  }
  if (latin1.decode(bytes.subarray(0, 6)) !== magic) {
    throw new CommandError('not a NumPy file: it does not begin with \\x93NUMPY');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const major = bytes[6] ?? 0;
  if (major < 1 || major > 3) {
    throw new CommandError(`NumPy format ${major} is not known; 1, 2 and 3 are`);
  }
  // Format 1.0 has a length of 2 bytes, 2.0 and 3.0 one of 4.
  const start = major >= 2 ? 12 : 10;
  if (bytes.length < start) throw new CommandError('the NumPy file is cut short in its header');
  const dataStart = start + (major >= 2 ? view.getUint32(8, true) : view.getUint16(8, true));
  if (bytes.length < dataStart) throw new CommandError('the NumPy file is cut short in its header');
  return { text: latin1.decode(bytes.subarray(start, dataStart)), dataStart };
}

/** The header's shape: whole numbers with commas between them. */
function shapeOf(text: string): number[] {
  const shape = /'shape'\s*:\s*\(([^)]*)\)/.exec(text);
  if (!shape) throw new CommandError('the NumPy header has no shape');
  const parts = shape[1]!.split(',').map((part) => part.trim());
  return parts
    .filter((part) => part !== '')
    .map((part) => {
      // Python 2 marks long numbers with an L.
      if (!/^\d+L?$/.test(part)) throw new CommandError(`the NumPy header has a size "${part}"`);
      return Number.parseInt(part, 10);
    });
}

function swapBytes(data: Uint8Array, size: number): void {
  for (let at = 0; at < data.length; at += size) data.subarray(at, at + size).reverse();
}

/** Puts elements whose first dimension runs fastest into row-major order. */
function fromFortranOrder(data: Uint8Array, dims: readonly number[], size: number): Uint8Array {
  const out = new Uint8Array(data.length);
  const strides: number[] = [];
  dims.reduce((stride, dim, axis) => {
    strides[axis] = stride;
    return stride * dim;
  }, size);
  const place = dims.map(() => 0);
  let from = 0;
  for (let to = 0; to < out.length; to += size) {
    for (let byte = 0; byte < size; byte++) out[to + byte] = data[from + byte]!;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++place[axis]! < dims[axis]!) break;
      from -= strides[axis]! * dims[axis]!;
      place[axis] = 0;
    }
  }
  return out;
}

/** Reads a NumPy `.npy` file, of either order of bytes and of elements. Throws {@link CommandError}. */
export function readNpy(bytes: Uint8Array): TensorValue {
  const { text, dataStart } = header(bytes);
  const descr = /'descr'\s*:\s*'([<>|=])([a-zV]\d+)'/.exec(text);
  const dtype = dtypes[descr?.[2] ?? ''];
  if (!descr || dtype === undefined) {
    const given = /'descr'\s*:\s*('[^']*'|[^,}]+)/.exec(text)?.[1] ?? 'none';
    throw new CommandError(`NumPy type ${given} is not supported: convert it with .astype()`);
  }
  const dims = shapeOf(text);
  const size = dtypeBytes(dtype);
  const length = elementCount(dims) * size;
  const held = bytes.length - dataStart;
  if (held !== length) {
    throw new CommandError(
      `${dtype}[${dims.join(',')}] takes ${length} bytes, the file holds ${held}`,
    );
  }
  // A copy of its own, at the beginning of its buffer.
  let data: Uint8Array = new Uint8Array(bytes.subarray(dataStart));
  if (/'fortran_order'\s*:\s*True/.test(text) && dims.length > 1) {
    data = fromFortranOrder(data, dims, size);
  }
  if (descr[1] === '>') swapBytes(data, size);
  return { dtype, dims, data };
}

/** Writes a NumPy `.npy` file, format 1.0. */
export function writeNpy({ dtype, dims, data }: TensorValue): Uint8Array {
  const order = dtypeBytes(dtype) === 1 ? '|' : '<';
  const shape = dims.length === 1 ? `(${dims[0]!},)` : `(${dims.join(', ')})`;
  const dict = `{'descr': '${order}${codes[dtype]}', 'fortran_order': False, 'shape': ${shape}, }`;
  // The data begin at a multiple of 64; the header ends in a line feed.
  const padded = `${dict.padEnd(Math.ceil((10 + dict.length + 1) / 64) * 64 - 10 - 1)}\n`;
  const out = new Uint8Array(10 + padded.length + data.length);
  const head = `${magic}\x01\x00${String.fromCharCode(padded.length & 0xff, padded.length >> 8)}${padded}`;
  for (let at = 0; at < head.length; at++) out[at] = head.charCodeAt(at);
  out.set(data, head.length);
  return out;
}
