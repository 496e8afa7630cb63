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

/** Sixteen bytes from `p` on, or the one at `p` in all lanes. */
@inline
function sixteenOf(p: usize, step: usize): v128 {
  return step == 0 ? v128.load8_splat(p) : v128.load(p);
}
@inline
function lowWords<T>(x: v128): v128 {
  return isSigned<T>() ? i16x8.extend_low_i8x16_s(x) : i16x8.extend_low_i8x16_u(x);
}
@inline
function highWords<T>(x: v128): v128 {
  return isSigned<T>() ? i16x8.extend_high_i8x16_s(x) : i16x8.extend_high_i8x16_u(x);
}

/** Four sums as f32 arithmetic has them, rounded after each operation. */
@inline
function nearly(a: v128, b: v128, factorA: v128, factorB: v128, offset: v128): v128 {
  const right = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(b), factorB), offset);
  return f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(a), factorA), right);
}

/** How far numbers are from the integers next to them. */
@inline
function distance(x: v128, rounded: v128): v128 {
  return f32x4.abs(f32x4.sub(x, rounded));
}

/**
 * Sixteen results by f32 arithmetic, where none is further than `sure` from an integer: then they are those of
 * {@link addFour} too. False, and nothing is stored, where one is.
 */
@inline
function addSixteen<T>(a: v128, b: v128, out: usize, factorA: v128, factorB: v128, offset: v128, sure: v128): bool {
  const a0 = lowWords<T>(a), a1 = highWords<T>(a);
  const b0 = lowWords<T>(b), b1 = highWords<T>(b);
  const w = nearly(i32x4.extend_low_i16x8_s(a0), i32x4.extend_low_i16x8_s(b0), factorA, factorB, offset);
  const x = nearly(i32x4.extend_high_i16x8_s(a0), i32x4.extend_high_i16x8_s(b0), factorA, factorB, offset);
  const y = nearly(i32x4.extend_low_i16x8_s(a1), i32x4.extend_low_i16x8_s(b1), factorA, factorB, offset);
  const z = nearly(i32x4.extend_high_i16x8_s(a1), i32x4.extend_high_i16x8_s(b1), factorA, factorB, offset);
  const w1 = f32x4.nearest(w), x1 = f32x4.nearest(x), y1 = f32x4.nearest(y), z1 = f32x4.nearest(z);
  const most = f32x4.pmax(
    f32x4.pmax(distance(w, w1), distance(x, x1)), f32x4.pmax(distance(y, y1), distance(z, z1)),
  );
  if (!i32x4.all_true(f32x4.lt(most, sure))) return false;
  const lower = i16x8.narrow_i32x4_s(i32x4.trunc_sat_f32x4_s(w1), i32x4.trunc_sat_f32x4_s(x1));
  const upper = i16x8.narrow_i32x4_s(i32x4.trunc_sat_f32x4_s(y1), i32x4.trunc_sat_f32x4_s(z1));
  v128.store(out, isSigned<T>() ? i8x16.narrow_i16x8_s(lower, upper) : i8x16.narrow_i16x8_u(lower, upper));
  return true;
}

/** How far a sum may be from an integer so that f32 arithmetic rounds to that one too; below 0: none is sure. */
@inline
function surely(factorA: f32, factorB: f32, offset: f32): f32 {
  // Five roundings of numbers that are not larger than the sum of all sizes, each by 2^-24 of it.
  const sizes = <f32>255 * abs<f32>(factorA) + <f32>255 * abs<f32>(factorB) + abs<f32>(offset);
  return <f32>0.5 - sizes * <f32>(1.0 / 2097152);
}

/**
 * out[i] = a[i] * factorA + b[i] * factorB + offset, rounded to f32 after each step, then half to even, kept
 * within a byte. A step of 0 repeats the first element. Reads up to three bytes beyond the last element.
 */
export function addQuantized<T>(
  a: usize, aStep: usize, b: usize, bStep: usize, out: usize, n: u32, factorA: f32, factorB: f32, offset: f32,
): void {
  const sure = surely(factorA, factorB, offset);
  while (n >= 16) {
    const known = sure > 0.25 && addSixteen<T>(
      sixteenOf(a, aStep), sixteenOf(b, bStep), out, f32x4.splat(factorA), f32x4.splat(factorB), f32x4.splat(offset),
      f32x4.splat(sure),
    );
    if (!known) addExactly<T>(a, aStep, b, bStep, out, 16, factorA, factorB, offset);
    n -= 16;
    a += aStep << 4;
    b += bStep << 4;
    out += 16;
  }
  if (n != 0) addExactly<T>(a, aStep, b, bStep, out, n, factorA, factorB, offset);
}

/** {@link addQuantized} in doubles. */
function addExactly<T>(
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
