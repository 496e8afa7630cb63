/** Numbers of 16 bits, which are stored only: float16, and bfloat16, the upper half of a float32. */

/** A float16 by its bits. */
export function fromHalf(bits: u32): f32 {
  const sign = (bits & 0x8000) << 16;
  const rest = bits & 0x7fff;
  // Infinity and what is no number keep their fraction.
  if (rest >= 0x7c00) return reinterpret<f32>(sign | 0x7f800000 | ((rest & 0x3ff) << 13));
  // As if its exponent were one of float32, then moved by a product, which makes small ones right too.
  const size = reinterpret<f32>(rest << 13) * reinterpret<f32>(<u32>(254 - 15) << 23);
  return reinterpret<f32>(reinterpret<u32>(size) | sign);
}

/** The bits of the nearest float16, half to even. */
export function toHalf(value: f32): u32 {
  const bits = reinterpret<u32>(value);
  const sign = (bits >>> 16) & 0x8000;
  const rest = bits & 0x7fffffff;
  if (rest > 0x7f800000) return sign | 0x7e00;
  if (rest >= 0x47800000) return sign | 0x7c00;
  if (rest < 0x38800000) {
    // Below the smallest normal number: a sum puts the last bit of float16 in the last one of float32.
    const shifted = reinterpret<f32>(rest) + reinterpret<f32>(<u32>126 << 23);
    return sign | (reinterpret<u32>(shifted) - (<u32>126 << 23));
  }
  // Rounds up where the fraction that is cut off is above a half, or a half behind an odd number.
  return sign | ((rest - (<u32>112 << 23) + 0xfff + ((rest >>> 13) & 1)) >>> 13);
}

export function fromBfloat(bits: u32): f32 {
  return reinterpret<f32>(bits << 16);
}

/** The bits of the nearest bfloat16, half to even. */
export function toBfloat(value: f32): u32 {
  const bits = reinterpret<u32>(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return ((bits >>> 16) & 0x8000) | 0x7fc0;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}
