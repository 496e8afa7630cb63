import { dtypeBytes, elementCount, type DTypeName } from '@canopy/protocol';
import { constantBytes, readFloats, type Constant } from '../constant.js';

/** Which numbers share a scale: see `scaleAttributes` of the protocol. */
export interface Scales {
  scale: Constant;
  zero: Constant | undefined;
  axis: number;
  block: number;
}

/** Integers of a constant, `count` from element `first` on. */
export function readIntegers(constant: Constant, first: number, count: number): number[] {
  const size = dtypeBytes(constant.dtype);
  const bytes = constant.read(first * size, count * size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = reader(view, constant.dtype);
  return Array.from({ length: count }, (_, index) => at(index * size));
}

function reader(view: DataView, dtype: DTypeName): (at: number) => number {
  switch (dtype) {
    case 'int8':
      return (at) => view.getInt8(at);
    case 'uint8':
      return (at) => view.getUint8(at);
    case 'int16':
      return (at) => view.getInt16(at, true);
    case 'uint16':
      return (at) => view.getUint16(at, true);
    case 'int32':
      return (at) => view.getInt32(at, true);
    default:
      throw new TypeError(`${dtype} is no type of quantized numbers`);
  }
}

/** Index of the scale of an element. */
function scaleIndex(
  { scale, axis, block }: Scales,
  dims: readonly number[],
): (i: number) => number {
  if (block === 0 && elementCount(scale.dims) === 1) return () => 0;
  const size = dims[axis]!;
  const inner = elementCount(dims.slice(axis + 1));
  if (block === 0) return (i) => Math.floor(i / inner) % size;
  const blocks = Math.ceil(size / block);
  return (i) => {
    const place = Math.floor(i / inner);
    const line = Math.floor(place / size) * blocks + Math.floor((place % size) / block);
    return line * inner + (i % inner);
  };
}

/** A constant of integers as the f32 numbers that they stand for, made while it is read. */
export function dequantizedConstant(integers: Constant, scales: Scales): Constant {
  const { dims } = integers;
  const { scale, zero } = scales;
  const indexOf = scaleIndex(scales, dims);
  const factors = readFloats(scale, 0, elementCount(scale.dims));
  const zeros = zero ? readIntegers(zero, 0, constantBytes(zero) / dtypeBytes(zero.dtype)) : [];
  return {
    dtype: 'float32',
    dims,
    read: (start, length) => {
      const first = Math.floor(start / 4);
      const end = Math.min(elementCount(dims), Math.ceil((start + length) / 4));
      const floats = Float32Array.from(readIntegers(integers, first, end - first), (value, i) => {
        const at = indexOf(first + i);
        return Math.fround(value - (zeros[at] ?? 0)) * factors[at]!;
      });
      return new Uint8Array(floats.buffer, start - first * 4, length);
    },
  };
}
