/** Numbers as the bits of IEEE 754 half precision, which Node 20 has no array for. */

const largest = 65504;
const leastNormal = 2 ** -14;
/** Distance of the subnormal numbers. */
const leastSubnormal = 2 ** -24;
const fractionBits = 10;

/** Whole number nearest to `value`, the even one of two. */
function roundHalfToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}

/** Bits of the half nearest to `value`; infinity's where it lies beyond the largest. */
export function toHalfBits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size < leastNormal) return sign | roundHalfToEven(size / leastSubnormal);
  if (size >= largest + 16) return sign | 0x7c00;
  const exponent = Math.floor(Math.log2(size));
  const fraction = roundHalfToEven((size / 2 ** exponent - 1) * 2 ** fractionBits);
  // A fraction that rounds up to 1 carries into the exponent by itself.
  return sign | (((exponent + 15) << fractionBits) + fraction);
}

/** Number that the bits of a half stand for. */
export function fromHalfBits(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> fractionBits) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * leastSubnormal;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * 2 ** (exponent - 15) * (1 + fraction / 2 ** fractionBits);
}
