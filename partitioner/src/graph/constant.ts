import { dtypeBytes, elementCount, type DTypeName } from '@canopy/protocol';
import { readFile, readFileInto } from '../onnx/files.js';

/**
 * A constant tensor whose data is read when asked for, in the parts asked for, so that a model's
 * weights are never in memory all at once. Data are row-major and little-endian.
 */
export interface Constant {
  readonly dtype: DTypeName;
  readonly dims: readonly number[];
  /** Bytes `[start, start + length)` of the data; a view or a copy, not to be written to. */
  read(start: number, length: number): Uint8Array;
  /** Fills `target` with the bytes from `start` on, where that saves a copy. */
  readInto?(target: Uint8Array, start: number): void;
  /** Where the data lie as they are, if they lie in a file. */
  readonly file?: { path: string; offset: number };
  /** Of int4 and uint4, which are held as int8 and uint8: the bytes of two numbers each, the lower four bits first. */
  readonly packed?: Constant;
}

/** Bytes of all its data. */
export function constantBytes(constant: Constant): number {
  return elementCount(constant.dims) * dtypeBytes(constant.dtype);
}

/** A constant whose data lie in memory. */
export function memoryConstant(
  dtype: DTypeName,
  dims: readonly number[],
  data: Uint8Array,
): Constant {
  return { dtype, dims, read: (start, length) => data.subarray(start, start + length) };
}

/** A constant of numbers of 4 bits, unpacked while it is read. */
export function fourBitConstant(
  dtype: 'int8' | 'uint8',
  dims: readonly number[],
  packed: Constant,
): Constant {
  const read = (start: number, length: number): Uint8Array => {
    const first = Math.floor(start / 2);
    const bytes = packed.read(first, Math.ceil((start + length) / 2) - first);
    return Uint8Array.from({ length }, (_, i) => {
      const at = start + i;
      const bits = (bytes[Math.floor(at / 2) - first]! >> (4 * (at % 2))) & 15;
      return dtype === 'int8' ? (bits << 28) >> 28 : bits;
    });
  };
  return { dtype, dims, packed, read };
}

/** A constant of f32 numbers. */
export function floatConstant(dims: readonly number[], values: ArrayLike<number>): Constant {
  return memoryConstant('float32', dims, new Uint8Array(Float32Array.from(values).buffer));
}

/** A constant of i64 numbers; a scalar where `dims` is empty. */
export function intConstant(dims: readonly number[], values: readonly number[]): Constant {
  return memoryConstant('int64', dims, new Uint8Array(BigInt64Array.from(values, BigInt).buffer));
}

/** A constant of numbers of any type but halves. */
export function numberConstant(
  dtype: DTypeName,
  dims: readonly number[],
  values: readonly number[],
): Constant {
  const bytes = new Uint8Array(values.length * dtypeBytes(dtype));
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => {
    switch (dtype) {
      case 'float32':
        view.setFloat32(index * 4, value, true);
        break;
      case 'float64':
        view.setFloat64(index * 8, value, true);
        break;
      case 'int64':
      case 'uint64':
        view.setBigInt64(index * 8, BigInt(value), true);
        break;
      case 'int32':
      case 'uint32':
        view.setInt32(index * 4, value, true);
        break;
      case 'int16':
      case 'uint16':
        view.setInt16(index * 2, value, true);
        break;
      case 'int8':
      case 'uint8':
      case 'bool':
        view.setInt8(index, value);
        break;
      case 'float16':
      case 'bfloat16':
        throw new TypeError(`constants of ${dtype} are made of bytes`);
    }
  });
  return memoryConstant(dtype, dims, bytes);
}

/** A constant whose data begin at `offset` of a file. */
export function fileConstant(
  dtype: DTypeName,
  dims: readonly number[],
  path: string,
  offset: number,
): Constant {
  return {
    dtype,
    dims,
    file: { path, offset },
    read: (start, length) => readFile(path, offset + start, length),
    readInto: (target, start) => {
      readFileInto(target, path, offset + start);
    },
  };
}

/** Elements of a constant from number `start` on, as one of their own. */
export function partOf(constant: Constant, dims: readonly number[], start: number): Constant {
  const { dtype, file } = constant;
  const at = start * dtypeBytes(dtype);
  return {
    dtype,
    dims,
    ...(file && { file: { path: file.path, offset: file.offset + at } }),
    read: (from, length) => constant.read(at + from, length),
  };
}

/** Fills `target` with the bytes of a constant from `start` on. */
export function readInto(constant: Constant, target: Uint8Array, start: number): void {
  if (constant.readInto) constant.readInto(target, start);
  else target.set(constant.read(start, target.length));
}

/** f32 elements `[start, start + count)`. */
export function readFloats(constant: Constant, start: number, count: number): Float32Array {
  const bytes = constant.read(start * 4, count * 4);
  if (bytes.byteOffset % 4 === 0) return new Float32Array(bytes.buffer, bytes.byteOffset, count);
  return new Float32Array(bytes.slice().buffer);
}

/** All elements of an f32 constant. */
export function allFloats(constant: Constant): Float32Array {
  return readFloats(constant, 0, elementCount(constant.dims));
}

/** All elements of an i64 or i32 constant, as numbers. */
export function allInts(constant: Constant): number[] {
  const bytes = constant.read(0, constantBytes(constant)).slice();
  return constant.dtype === 'int64'
    ? Array.from(new BigInt64Array(bytes.buffer), Number)
    : Array.from(new Int32Array(bytes.buffer));
}

/** The one element of an f32 constant of one element; undefined for anything else. */
export function scalarFloat(constant: Constant | undefined): number | undefined {
  if (constant?.dtype !== 'float32' || elementCount(constant.dims) !== 1) return undefined;
  return readFloats(constant, 0, 1)[0];
}

/** The bits of 1 in a type, as of an element that has 64. */
export function oneBits(dtype: DTypeName): bigint {
  if (dtype === 'float16') return 0x3c00n;
  if (dtype === 'bfloat16') return 0x3f80n;
  const bytes = numberConstant(dtype, [], [1]).read(0, dtypeBytes(dtype));
  return Array.from(bytes).reduceRight((bits, byte) => (bits << 8n) | BigInt(byte), 0n);
}
