const converter = new DataView(new ArrayBuffer(4));

/** A float16 by its bits. */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The bits of the float16 nearest to a number, half to even. */
export function toHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(size || 1e-30)));
  const unit = 2 ** (exponent - 10);
  const steps = size / unit;
  const below = Math.floor(steps);
  const rest = steps - below;
  const count = below + (rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? 1 : 0);
  // A count of 2048 carries into the exponent by itself.
  return sign | (count + (exponent + 14) * 1024);
}

/** A bfloat16 by its bits: the upper half of a float32. */
export function fromBfloat(bits: number): number {
  converter.setUint32(0, bits << 16);
  return converter.getFloat32(0);
}

/** The bits of the bfloat16 nearest to a number, half to even. */
export function toBfloat(value: number): number {
  converter.setFloat32(0, value);
  const bits = converter.getUint32(0);
  if (Number.isNaN(value)) return 0x7fc0;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}
