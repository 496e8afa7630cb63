import { int8DepthUnit, integerPiece } from '../generated/constants';
import { storeTail } from './lanes';

const LANES: u32 = 8;

/**
 * dst[i] = x[i] - zero as 16 bits, for `n` elements of 8 bits of type T. Returns the sum of all.
 */
@inline
function widened<T>(x: usize, n: u32, dst: usize, zero: i32): i32 {
  const zeros = i16x8.splat(<i16>zero);
  const ones = i16x8.splat(1);
  let sums = i32x4.splat(0);
  for (; n >= 2 * LANES; n -= 2 * LANES, x += 16, dst += 32) {
    const a = i16x8.sub(isSigned<T>() ? v128.load_ext<i8>(x) : v128.load_ext<u8>(x), zeros);
    const b = i16x8.sub(isSigned<T>() ? v128.load_ext<i8>(x, 8) : v128.load_ext<u8>(x, 8), zeros);
    v128.store(dst, a);
    v128.store(dst, b, 16);
    sums = i32x4.add(sums, i32x4.dot_i16x8_s(i16x8.add(a, b), ones));
  }
  let sum = i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1);
  sum += i32x4.extract_lane(sums, 2) + i32x4.extract_lane(sums, 3);
  for (; n != 0; n--, x++, dst += 2) {
    const a = <i32>load<T>(x) - zero;
    store<i16>(dst, <i16>a);
    sum += a;
  }
  return sum;
}

/** As {@link widened}, for bytes with a sign or without. */
export function widenBytes(signed: bool, x: usize, n: u32, dst: usize, zero: i32): i32 {
  return signed ? widened<i8>(x, n, dst, zero) : widened<u8>(x, n, dst, zero);
}

/** Zeros in place of `n` elements of 16 bits. */
export function fillWords(dst: usize, n: u32): void {
  for (; n >= LANES; n -= LANES, dst += 16) v128.store(dst, i32x4.splat(0));
  for (; n != 0; n--, dst += 2) store<i16>(dst, 0);
}

/**
 * Packs four channels, of which `lanes` are there, of a piece of the depth that begins at `first`, as kernels
 * of int8 weights read it. Element (k, c) is at `src + k * kStep + c * cStep`; `flip` turns bytes without a sign
 * into those less 128.
 */
export function packFour(
  src: usize, kStep: usize, cStep: usize, first: u32, depth: u32, lanes: u32, flip: u32, dst: usize,
): void {
  const end = min(first + integerPiece, (depth + int8DepthUnit - 1) & ~(int8DepthUnit - 1));
  for (let k = first; k < end; k += 2) {
    for (let c: u32 = 0; c < 4; c++, dst += 2) {
      const at = src + <usize>k * kStep + <usize>c * cStep;
      const a = c < lanes && k < depth ? <u32>load<u8>(at) ^ flip : 0;
      const b = c < lanes && k + 1 < depth ? <u32>load<u8>(at + kStep) ^ flip : 0;
      store<u16>(dst, <u16>(a | (b << 8)));
    }
  }
}

/** Sums of four channels after the zero points of their weights and what is added to them. */
@inline
function corrected(sums: usize, row: v128, zero: usize, bias: usize): v128 {
  return i32x4.add(i32x4.sub(v128.load(sums), i32x4.mul(row, v128.load(zero))), v128.load(bias));
}

/**
 * out[j] = sums[j] - row * zero[j] + bias[j] for `n` channels; sums of four channels are `step` bytes after
 * those of the four before. Reads parameters up to a whole vector.
 */
export function storeSums(sums: usize, step: usize, row: i32, zero: usize, bias: usize, n: u32, out: usize): void {
  const rows = i32x4.splat(row);
  for (; n >= 4; n -= 4, sums += step, zero += 16, bias += 16, out += 16) {
    v128.store(out, corrected(sums, rows, zero, bias));
  }
  if (n != 0) storeTail(out, corrected(sums, rows, zero, bias), n);
}

/** {@link storeSums}, each times its factor, plus its offset, as f32. */
export function storeFloats(
  sums: usize, step: usize, row: i32, zero: usize, bias: usize, factor: usize, offset: usize, n: u32, out: usize,
): void {
  const rows = i32x4.splat(row);
  for (; n >= 4; n -= 4, sums += step, zero += 16, bias += 16, factor += 16, offset += 16, out += 16) {
    v128.store(out, scaled(corrected(sums, rows, zero, bias), factor, offset));
  }
  if (n != 0) storeTail(out, scaled(corrected(sums, rows, zero, bias), factor, offset), n);
}

@inline
function scaled(sum: v128, factor: usize, offset: usize): v128 {
  return f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(sum), v128.load(factor)), v128.load(offset));
}

/** {@link storeSums}, each times its factor, rounded half to even, plus `result`, kept within a byte. */
export function storeBytes(
  signed: bool,
  sums: usize, step: usize, row: i32, zero: usize, bias: usize, factor: usize, result: i32, n: u32, out: usize,
): void {
  const least = signed ? -128 : 0;
  const rows = i32x4.splat(row);
  const low = f32x4.splat(<f32>(least - result));
  const high = f32x4.splat(<f32>(least + 255 - result));
  const shift = i32x4.splat(result);
  for (; n >= 4; n -= 4, sums += step, zero += 16, bias += 16, factor += 16, out += 4) {
    const x = requantized(corrected(sums, rows, zero, bias), factor, low, high);
    v128.store32_lane(out, lowBytes(i32x4.add(x, shift)), 0);
  }
  if (n == 0) return;
  const x = lowBytes(i32x4.add(requantized(corrected(sums, rows, zero, bias), factor, low, high), shift));
  store<u8>(out, i8x16.extract_lane_u(x, 0));
  if (n > 1) store<u8>(out, i8x16.extract_lane_u(x, 1), 1);
  if (n > 2) store<u8>(out, i8x16.extract_lane_u(x, 2), 2);
}

@inline
function requantized(sum: v128, factor: usize, low: v128, high: v128): v128 {
  const x = f32x4.mul(f32x4.convert_i32x4_s(sum), v128.load(factor));
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.pmin(high, f32x4.pmax(low, x))));
}

/** The low byte of each lane, in the first lane. */
@inline
function lowBytes(x: v128): v128 {
  return i8x16.shuffle(x, x, 0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
}
