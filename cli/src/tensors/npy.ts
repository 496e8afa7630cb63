import { dtypeBytes, elementCount, type DTypeName } from '@canopy/protocol';
import { CommandError } from '../errors.js';
import type { TensorValue } from './tensor-value.js';

/** NumPy's type codes without byte order. Source: numpy.org, "array interface". */
const dtypes: Record<string, DTypeName> = {
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  i1: 'int8',
  i4: 'int32',
  i8: 'int64',
  u1: 'uint8',
  u4: 'uint32',
  u8: 'uint64',
  b1: 'bool',
};
const codes = Object.fromEntries(
  Object.entries(dtypes).map(([code, name]) => [name, code]),
) as Record<DTypeName, string>;
const magic = '\x93NUMPY';
const latin1 = new TextDecoder('latin1');

function header(bytes: Uint8Array): { text: string; dataStart: number } {
  if (latin1.decode(bytes.subarray(0, 6)) !== magic) {
    throw new CommandError('not a NumPy file: it does not begin with \\x93NUMPY');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Format 1.0 has a length of 2 bytes, 2.0 and 3.0 one of 4.
  const long = (bytes[6] ?? 0) >= 2;
  const start = long ? 12 : 10;
  if (bytes.length < start) throw new CommandError('the NumPy file is cut short');
  const length = long ? view.getUint32(8, true) : view.getUint16(8, true);
  return {
    text: latin1.decode(bytes.subarray(start, start + length)),
    dataStart: start + length,
  };
}

function swapBytes(data: Uint8Array, size: number): void {
  for (let at = 0; at < data.length; at += size) data.subarray(at, at + size).reverse();
}

/** Reads a NumPy `.npy` file in C order. Throws {@link CommandError}. */
export function readNpy(bytes: Uint8Array): TensorValue {
  const { text, dataStart } = header(bytes);
  const descr = /'descr'\s*:\s*'([<>|=])([a-z]\d+)'/.exec(text);
  const shape = /'shape'\s*:\s*\(([^)]*)\)/.exec(text);
  const dtype = dtypes[descr?.[2] ?? ''];
  if (!descr || dtype === undefined) {
    const given = /'descr'\s*:\s*([^,]+)/.exec(text)?.[1] ?? 'none';
    throw new CommandError(`NumPy type ${given} is not supported: convert it with .astype()`);
  }
  if (!shape) throw new CommandError('the NumPy header has no shape');
  const dims = shape[1]!
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(Number);
  if (/'fortran_order'\s*:\s*True/.test(text) && dims.length > 1) {
    throw new CommandError('the array is in Fortran order: save it with numpy.ascontiguousarray()');
  }
  const length = elementCount(dims) * dtypeBytes(dtype);
  const data = bytes.slice(dataStart, dataStart + length);
  if (data.length !== length) {
    throw new CommandError(
      `${dtype}[${dims.join(',')}] takes ${length} bytes, the file holds ${data.length}`,
    );
  }
  if (descr[1] === '>') swapBytes(data, dtypeBytes(dtype));
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
