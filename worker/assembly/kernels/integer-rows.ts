import { int8DepthUnit, integerPiece } from '../generated/constants';

const LANES: i32 = 8;

/** Eight of the elements from `x` on. */
@inline
function eight<T>(x: usize, dst: usize, zeros: v128): void {
  v128.store(dst, i16x8.sub(isSigned<T>() ? v128.load_ext<i8>(x) : v128.load_ext<u8>(x), zeros));
}

/** dst[i] = x[i] - zero as 16 bits, in vectors of eight: it reads, and writes, up to seven elements behind the last. */
@inline
function widenedVectors<T>(x: usize, n: u32, dst: usize, zeros: v128): void {
  let left = <i32>n;
  for (; left > 3 * LANES; left -= 4 * LANES, x += 32, dst += 64) {
    eight<T>(x, dst, zeros);
    eight<T>(x + 8, dst + 16, zeros);
    eight<T>(x + 16, dst + 32, zeros);
    eight<T>(x + 24, dst + 48, zeros);
  }
  if (left <= 0) return;
  eight<T>(x, dst, zeros);
  if (left <= LANES) return;
  eight<T>(x + 8, dst + 16, zeros);
  if (left > 2 * LANES) eight<T>(x + 16, dst + 32, zeros);
}

/** `rows` rows of {@link widenedVectors}, with or without a sign. Steps are bytes. */
export function widenRows(
  signed: bool, x: usize, xStep: usize, rows: u32, n: u32, dst: usize, dstStep: usize, zero: i32,
): void {
  const zeros = i16x8.splat(<i16>zero);
  if (signed) for (; rows != 0; rows--, x += xStep, dst += dstStep) widenedVectors<i8>(x, n, dst, zeros);
  else for (; rows != 0; rows--, x += xStep, dst += dstStep) widenedVectors<u8>(x, n, dst, zeros);
}

/** Zeros in place of `n` elements of 16 bits, in vectors of eight: also of up to seven behind the last. */
export function fillWords(dst: usize, n: u32): void {
  for (let left = <i32>n; left > 0; left -= LANES, dst += 16) v128.store(dst, i32x4.splat(0));
}

/** The sum of `n` elements of 16 bits, of less than 2^14 each. */
export function sumWords(x: usize, n: u32): i32 {
  let left = <i32>n;
  let sums = i32x4.splat(0);
  for (; left >= LANES; left -= LANES, x += 16) {
    sums = i32x4.add(sums, i32x4.dot_i16x8_s(v128.load(x), i16x8.splat(1)));
  }
  let sum = i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1);
  sum += i32x4.extract_lane(sums, 2) + i32x4.extract_lane(sums, 3);
  for (; left > 0; left--, x += 2) sum += load<i16>(x);
  return sum;
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
