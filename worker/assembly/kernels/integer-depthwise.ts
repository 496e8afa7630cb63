/**
 * Sums of one pixel: sums[c] = x[tap][c] - zero, times w[tap][c], over nx x ny taps at `x`, for each of `channels`.
 * x: bytes of type T, w: i16; steps are bytes. 16 channels at a time, then 8: it reads up to 7 channels behind the
 * last, and writes whole vectors of four sums.
 */
@inline
function pixel<T>(
  x: usize, stepX: usize, stepY: usize, nx: u32, ny: u32, w: usize, wStepX: usize, wStepY: usize, zero: i32,
  channels: u32, sums: usize,
): void {
  const zeros = i16x8.splat(<i16>zero);
  let left = <i32>channels;
  for (; left >= 16; left -= 16, x += 16, w += 32, sums += 64) {
    let s0 = i32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
    for (let y = ny, row = x, wRow = w; y != 0; y--, row += stepY, wRow += wStepY) {
      for (let n = nx, p = row, q = wRow; n != 0; n--, p += stepX, q += wStepX) {
        const a = i16x8.sub(isSigned<T>() ? v128.load_ext<i8>(p) : v128.load_ext<u8>(p), zeros);
        const b = i16x8.sub(isSigned<T>() ? v128.load_ext<i8>(p, 8) : v128.load_ext<u8>(p, 8), zeros);
        const c = v128.load(q);
        const d = v128.load(q, 16);
        s0 = i32x4.add(s0, i32x4.extmul_low_i16x8_s(a, c));
        s1 = i32x4.add(s1, i32x4.extmul_high_i16x8_s(a, c));
        s2 = i32x4.add(s2, i32x4.extmul_low_i16x8_s(b, d));
        s3 = i32x4.add(s3, i32x4.extmul_high_i16x8_s(b, d));
      }
    }
    v128.store(sums, s0);
    v128.store(sums, s1, 16);
    v128.store(sums, s2, 32);
    v128.store(sums, s3, 48);
  }
  for (; left > 0; left -= 8, x += 8, w += 16, sums += 32) {
    let s0 = i32x4.splat(0), s1 = s0;
    for (let y = ny, row = x, wRow = w; y != 0; y--, row += stepY, wRow += wStepY) {
      for (let n = nx, p = row, q = wRow; n != 0; n--, p += stepX, q += wStepX) {
        const a = i16x8.sub(isSigned<T>() ? v128.load_ext<i8>(p) : v128.load_ext<u8>(p), zeros);
        const c = v128.load(q);
        s0 = i32x4.add(s0, i32x4.extmul_low_i16x8_s(a, c));
        s1 = i32x4.add(s1, i32x4.extmul_high_i16x8_s(a, c));
      }
    }
    v128.store(sums, s0);
    if (left > 4) v128.store(sums, s1, 16);
  }
}

/** As {@link pixel}, of bytes with a sign or without. */
export function depthwisePixel(
  signed: bool, x: usize, stepX: usize, stepY: usize, nx: u32, ny: u32, w: usize, wStepX: usize, wStepY: usize,
  zero: i32, channels: u32, sums: usize,
): void {
  if (signed) pixel<i8>(x, stepX, stepY, nx, ny, w, wStepX, wStepY, zero, channels, sums);
  else pixel<u8>(x, stepX, stepY, nx, ny, w, wStepX, wStepY, zero, channels, sums);
}
