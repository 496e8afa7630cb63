import { storeTail } from './lanes';

/**
 * What becomes of sums [vector][row][4]: for `rows` rows of `n` channels, (sum - rowSum * zero + bias) and then
 * what each function says. Parameters of a channel lie in arrays of words, which are read up to a whole vector.
 * `hasZeros`: whether any of `zero` is not 0; otherwise sums of rows are not read.
 */

/** Four sums of a row after the zero points of their weights and what is added to them. */
@inline
function corrected(hasZeros: bool, sums: usize, rowSum: usize, zeros: v128, biases: v128): v128 {
  const sum = v128.load(sums);
  if (!hasZeros) return i32x4.add(sum, biases);
  return i32x4.add(i32x4.sub(sum, i32x4.mul(v128.load32_splat(rowSum), zeros)), biases);
}

/** Sixteen channels of all rows, as 32-bit integers or, where `isFloat`, times their factors plus their offsets. */
@inline
function sixteenWords(
  isFloat: bool, hasZeros: bool, sums: usize, rows: u32, rowSums: usize, zero: usize, bias: usize, factor: usize,
  offset: usize, out: usize, outStep: usize,
): void {
  const step = <usize>rows << 4;
  const sums1 = sums + step;
  const sums2 = sums1 + step;
  const sums3 = sums2 + step;
  const z0 = v128.load(zero), z1 = v128.load(zero, 16), z2 = v128.load(zero, 32), z3 = v128.load(zero, 48);
  const b0 = v128.load(bias), b1 = v128.load(bias, 16), b2 = v128.load(bias, 32), b3 = v128.load(bias, 48);
  const f0 = v128.load(factor), f1 = v128.load(factor, 16), f2 = v128.load(factor, 32), f3 = v128.load(factor, 48);
  const o0 = v128.load(offset), o1 = v128.load(offset, 16), o2 = v128.load(offset, 32), o3 = v128.load(offset, 48);
  for (let at: usize = 0; at < step; at += 16, out += outStep) {
    const row = rowSums + (at >>> 2);
    v128.store(out, word(isFloat, corrected(hasZeros, sums + at, row, z0, b0), f0, o0));
    v128.store(out, word(isFloat, corrected(hasZeros, sums1 + at, row, z1, b1), f1, o1), 16);
    v128.store(out, word(isFloat, corrected(hasZeros, sums2 + at, row, z2, b2), f2, o2), 32);
    v128.store(out, word(isFloat, corrected(hasZeros, sums3 + at, row, z3, b3), f3, o3), 48);
  }
}

@inline
function word(isFloat: bool, sum: v128, factors: v128, offsets: v128): v128 {
  return isFloat ? f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(sum), factors), offsets) : sum;
}

/** Up to four channels of all rows, as {@link sixteenWords}. */
@inline
function fourWords(
  isFloat: bool, hasZeros: bool, sums: usize, rows: u32, rowSums: usize, zero: usize, bias: usize, factor: usize,
  offset: usize, n: u32, out: usize, outStep: usize,
): void {
  const zeros = v128.load(zero);
  const biases = v128.load(bias);
  const factors = v128.load(factor);
  const offsets = v128.load(offset);
  for (let r = rows; r != 0; r--, sums += 16, rowSums += 4, out += outStep) {
    const x = word(isFloat, corrected(hasZeros, sums, rowSums, zeros, biases), factors, offsets);
    if (n >= 4) v128.store(out, x);
    else storeTail(out, x, n);
  }
}

@inline
function words(
  isFloat: bool, hasZeros: bool, sums: usize, rows: u32, rowSums: usize, zero: usize, bias: usize, factor: usize,
  offset: usize, n: u32, out: usize, outStep: usize,
): void {
  const step = <usize>rows << 4;
  for (; n >= 16; n -= 16, sums += step << 2, zero += 64, bias += 64, factor += 64, offset += 64, out += 64) {
    sixteenWords(isFloat, hasZeros, sums, rows, rowSums, zero, bias, factor, offset, out, outStep);
  }
  for (; n != 0; n -= min(n, 4), sums += step, zero += 16, bias += 16, factor += 16, offset += 16, out += 16) {
    fourWords(isFloat, hasZeros, sums, rows, rowSums, zero, bias, factor, offset, n, out, outStep);
  }
}

/** As they are. */
export function storeSums(
  hasZeros: bool, sums: usize, rows: u32, rowSums: usize, zero: usize, bias: usize, n: u32, out: usize, outStep: usize,
): void {
  if (hasZeros) words(false, true, sums, rows, rowSums, zero, bias, bias, bias, n, out, outStep);
  else words(false, false, sums, rows, rowSums, zero, bias, bias, bias, n, out, outStep);
}

/** Times their factors, plus their offsets, as f32. */
export function storeFloats(
  hasZeros: bool, sums: usize, rows: u32, rowSums: usize, zero: usize, bias: usize, factor: usize, offset: usize,
  n: u32, out: usize, outStep: usize,
): void {
  if (hasZeros) words(true, true, sums, rows, rowSums, zero, bias, factor, offset, n, out, outStep);
  else words(true, false, sums, rows, rowSums, zero, bias, factor, offset, n, out, outStep);
}

/** Times a factor, rounded half to even, plus the zero point; `low` is the least byte less that. NaN is the least. */
@inline
function requantized(sum: v128, factors: v128, low: v128, result: v128): v128 {
  const x = f32x4.nearest(f32x4.pmax(low, f32x4.mul(f32x4.convert_i32x4_s(sum), factors)));
  return i32x4.trunc_sat_f32x4_s(f32x4.add(x, result));
}

@inline
function narrowed(signed: bool, a: v128, b: v128): v128 {
  return signed ? i8x16.narrow_i16x8_s(a, b) : i8x16.narrow_i16x8_u(a, b);
}

/** Sixteen channels of all rows. */
@inline
function sixteen(
  signed: bool, hasZeros: bool, sums: usize, rows: u32, rowSums: usize, zero: usize, bias: usize, factor: usize,
  low: v128, result: v128, out: usize, outStep: usize,
): void {
  const step = <usize>rows << 4;
  const sums1 = sums + step;
  const sums2 = sums1 + step;
  const sums3 = sums2 + step;
  const z0 = v128.load(zero), z1 = v128.load(zero, 16), z2 = v128.load(zero, 32), z3 = v128.load(zero, 48);
  const b0 = v128.load(bias), b1 = v128.load(bias, 16), b2 = v128.load(bias, 32), b3 = v128.load(bias, 48);
  const f0 = v128.load(factor), f1 = v128.load(factor, 16), f2 = v128.load(factor, 32), f3 = v128.load(factor, 48);
  for (let at: usize = 0; at < step; at += 16, out += outStep) {
    const row = rowSums + (at >>> 2);
    const a = i16x8.narrow_i32x4_s(
      requantized(corrected(hasZeros, sums + at, row, z0, b0), f0, low, result),
      requantized(corrected(hasZeros, sums1 + at, row, z1, b1), f1, low, result),
    );
    const b = i16x8.narrow_i32x4_s(
      requantized(corrected(hasZeros, sums2 + at, row, z2, b2), f2, low, result),
      requantized(corrected(hasZeros, sums3 + at, row, z3, b3), f3, low, result),
    );
    v128.store(out, narrowed(signed, a, b));
  }
}

/** Up to four channels of all rows. */
@inline
function four(
  signed: bool, hasZeros: bool, sums: usize, rows: u32, rowSums: usize, zero: usize, bias: usize, factor: usize,
  low: v128, result: v128, n: u32, out: usize, outStep: usize,
): void {
  const zeros = v128.load(zero);
  const biases = v128.load(bias);
  const factors = v128.load(factor);
  for (let r = rows; r != 0; r--, sums += 16, rowSums += 4, out += outStep) {
    const x = requantized(corrected(hasZeros, sums, rowSums, zeros, biases), factors, low, result);
    const words = i16x8.narrow_i32x4_s(x, x);
    const bytes = narrowed(signed, words, words);
    if (n >= 4) {
      v128.store32_lane(out, bytes, 0);
      continue;
    }
    v128.store8_lane(out, bytes, 0);
    if (n > 1) v128.store8_lane(out, bytes, 1, 1);
    if (n > 2) v128.store8_lane(out, bytes, 2, 2);
  }
}

@inline
function bytes(
  signed: bool, hasZeros: bool, sums: usize, rows: u32, rowSums: usize, zero: usize, bias: usize, factor: usize,
  zeroPoint: i32, n: u32, out: usize, outStep: usize,
): void {
  const least: i32 = signed ? -128 : 0;
  const low = f32x4.splat(<f32>(least - zeroPoint));
  const result = f32x4.splat(<f32>zeroPoint);
  const step = <usize>rows << 4;
  for (; n >= 16; n -= 16, sums += step << 2, zero += 64, bias += 64, factor += 64, out += 16) {
    sixteen(signed, hasZeros, sums, rows, rowSums, zero, bias, factor, low, result, out, outStep);
  }
  for (; n != 0; n -= min(n, 4), sums += step, zero += 16, bias += 16, factor += 16, out += 4) {
    four(signed, hasZeros, sums, rows, rowSums, zero, bias, factor, low, result, n, out, outStep);
  }
}

/** Times their factors, rounded half to even, plus the zero point of the result, kept within a byte. */
export function storeBytes(
  signed: bool, hasZeros: bool, sums: usize, rows: u32, rowSums: usize, zero: usize, bias: usize, factor: usize,
  zeroPoint: i32, n: u32, out: usize, outStep: usize,
): void {
  if (signed) {
    if (hasZeros) bytes(true, true, sums, rows, rowSums, zero, bias, factor, zeroPoint, n, out, outStep);
    else bytes(true, false, sums, rows, rowSums, zero, bias, factor, zeroPoint, n, out, outStep);
  } else if (hasZeros) bytes(false, true, sums, rows, rowSums, zero, bias, factor, zeroPoint, n, out, outStep);
  else bytes(false, false, sums, rows, rowSums, zero, bias, factor, zeroPoint, n, out, outStep);
}
