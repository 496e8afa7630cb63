import type { BundleTensor } from '@canopy/protocol';

const converter = new DataView(new ArrayBuffer(4));

/** A float16 by its bits. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** A bfloat16 by its bits: the upper half of a float32. */
function upperHalf(bits: number): number {
  converter.setUint32(0, bits << 16);
  return converter.getFloat32(0);
}

/** Elements of a tensor; 64-bit integers exactly. */
export function elementsOf({ dtype, data }: BundleTensor): ArrayLike<number | bigint> {
  const { buffer } = new Uint8Array(data);
  switch (dtype) {
    case 'float32':
      return new Float32Array(buffer);
    case 'float64':
      return new Float64Array(buffer);
    case 'float16':
      return Array.from(new Uint16Array(buffer), half);
    case 'bfloat16':
      return Array.from(new Uint16Array(buffer), upperHalf);
    case 'int8':
      return new Int8Array(buffer);
    case 'uint8':
    case 'bool':
      return new Uint8Array(buffer);
    case 'int16':
      return new Int16Array(buffer);
    case 'uint16':
      return new Uint16Array(buffer);
    case 'int32':
      return new Int32Array(buffer);
    case 'uint32':
      return new Uint32Array(buffer);
    case 'int64':
      return new BigInt64Array(buffer);
    case 'uint64':
      return new BigUint64Array(buffer);
  }
}

/** Most that floats may differ: `relative * |expected| + absolute`. */
export interface Tolerance {
  relative: number;
  absolute: number;
}

/** What is wrong with a result; undefined where nothing is. */
export function difference(
  actual: BundleTensor | undefined,
  expected: BundleTensor,
  { relative, absolute }: Tolerance,
): string | undefined {
  const form = ({ dtype, dims }: BundleTensor): string => `${dtype}[${dims.join(',')}]`;
  if (!actual) return `nothing instead of ${form(expected)}`;
  if (form(actual) !== form(expected)) return `${form(actual)} instead of ${form(expected)}`;
  const [found, wanted] = [elementsOf(actual), elementsOf(expected)];
  const isFloat = expected.dtype.includes('float');
  for (let index = 0; index < wanted.length; index++) {
    const [a, b] = [found[index]!, wanted[index]!];
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    const off = Math.abs(Number(a) - Number(b));
    if (isFloat && off <= relative * Math.abs(Number(b)) + absolute) continue;
    return `element ${index} is ${a} instead of ${b}`;
  }
  return undefined;
}
