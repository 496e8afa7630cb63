/** Two of four 32-bit integers as doubles. */
@inline
function low(x: v128): v128 {
  return f64x2.convert_low_i32x4_s(x);
}
@inline
function high(x: v128): v128 {
  return f64x2.convert_low_i32x4_s(i64x2.shuffle(x, x, 1, 1));
}

/** Rounded to f32 once, like a fused multiply-add: products of bytes and f32 are exact in doubles. */
@inline
function fused(x: v128, factor: v128, offset: v128): v128 {
  const sum = f64x2.add(f64x2.mul(x, factor), offset);
  return f64x2.promote_low_f32x4(f32x4.demote_f64x2_zero(sum));
}

@inline
function fourOf<T>(p: usize, step: usize): v128 {
  if (step == 0) return i32x4.splat(<i32>load<T>(p));
  const words = isSigned<T>() ? i16x8.extend_low_i8x16_s(v128.load32_zero(p)) : i16x8.extend_low_i8x16_u(v128.load32_zero(p));
  return i32x4.extend_low_i16x8_s(words);
}

@inline
function storeFour<T>(out: usize, x: v128, n: u32): void {
  const words = i16x8.narrow_i32x4_s(x, x);
  const bytes = isSigned<T>() ? i8x16.narrow_i16x8_s(words, words) : i8x16.narrow_i16x8_u(words, words);
  if (n >= 4) {
    v128.store32_lane(out, bytes, 0);
    return;
  }
  store<u8>(out, i8x16.extract_lane_u(bytes, 0));
  if (n > 1) store<u8>(out, i8x16.extract_lane_u(bytes, 1), 1);
  if (n > 2) store<u8>(out, i8x16.extract_lane_u(bytes, 2), 2);
}

@inline
function addFour(a: v128, b: v128, factorA: v128, factorB: v128, offset: v128): v128 {
  const lower = fused(low(a), factorA, fused(low(b), factorB, offset));
  const upper = fused(high(a), factorA, fused(high(b), factorB, offset));
  const x = i64x2.shuffle(f32x4.demote_f64x2_zero(lower), f32x4.demote_f64x2_zero(upper), 0, 2);
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(x));
}

/**
 * out[i] = a[i] * factorA + b[i] * factorB + offset, rounded to f32 after each step, then half to even, kept
 * within a byte. A step of 0 repeats the first element. Reads up to three bytes beyond the last element.
 */
export function addQuantized<T>(
  a: usize, aStep: usize, b: usize, bStep: usize, out: usize, n: u32, factorA: f32, factorB: f32, offset: f32,
): void {
  const factorsA = f64x2.splat(factorA);
  const factorsB = f64x2.splat(factorB);
  const offsets = f64x2.splat(offset);
  for (; n >= 4; n -= 4, a += aStep << 2, b += bStep << 2, out += 4) {
    storeFour<T>(out, addFour(fourOf<T>(a, aStep), fourOf<T>(b, bStep), factorsA, factorsB, offsets), 4);
  }
  if (n != 0) storeFour<T>(out, addFour(fourOf<T>(a, aStep), fourOf<T>(b, bStep), factorsA, factorsB, offsets), n);
}

@inline
function mulFour(a: v128, b: v128, zeroA: v128, zeroB: v128, factor: v128, offset: v128): v128 {
  const product = i32x4.mul(i32x4.sub(a, zeroA), i32x4.sub(b, zeroB));
  const x = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(product), factor), offset);
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(x));
}

/** out[i] = (a[i] - zeroA) * (b[i] - zeroB) * factor + offset, rounded half to even, kept within a byte. */
export function mulQuantized<T>(
  a: usize, aStep: usize, b: usize, bStep: usize, out: usize, n: u32, zeroA: i32, zeroB: i32, factor: f32, offset: f32,
): void {
  const zerosA = i32x4.splat(zeroA);
  const zerosB = i32x4.splat(zeroB);
  const factors = f32x4.splat(factor);
  const offsets = f32x4.splat(offset);
  for (; n >= 4; n -= 4, a += aStep << 2, b += bStep << 2, out += 4) {
    storeFour<T>(out, mulFour(fourOf<T>(a, aStep), fourOf<T>(b, bStep), zerosA, zerosB, factors, offsets), 4);
  }
  if (n != 0) storeFour<T>(out, mulFour(fourOf<T>(a, aStep), fourOf<T>(b, bStep), zerosA, zerosB, factors, offsets), n);
}
