import { dtypeBytes, elementCount } from '@canopy/protocol';
import { constantBytes, readFloats, type Constant } from '../constant.js';

/** Which numbers share a scale: see `scaleAttributes` of the protocol. */
export interface Scales {
  scale: Constant;
  zero: Constant | undefined;
  axis: number;
  block: number;
}

/** Integers of a constant, `count` from element `first` on. */
export function readIntegers(constant: Constant, first: number, count: number): ArrayLike<number> {
  const size = dtypeBytes(constant.dtype);
  // A copy begins where elements of any size may.
  const { buffer } = constant.read(first * size, count * size).slice();
  switch (constant.dtype) {
    case 'int8':
      return new Int8Array(buffer);
    case 'uint8':
      return new Uint8Array(buffer);
    case 'int16':
      return new Int16Array(buffer);
    case 'uint16':
      return new Uint16Array(buffer);
    case 'int32':
      return new Int32Array(buffer);
    default:
      throw new TypeError(`${constant.dtype} is no type of quantized numbers`);
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
      const values = readIntegers(integers, first, end - first);
      const floats = new Float32Array(end - first);
      for (let i = 0; i < floats.length; i++) {
        const at = indexOf(first + i);
        floats[i] = Math.fround(values[i]! - (zeros[at] ?? 0)) * factors[at]!;
      }
      return new Uint8Array(floats.buffer, start - first * 4, length);
    },
  };
}
