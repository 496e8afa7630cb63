import { loadTail, storeTail } from './lanes';

@inline
function merge(largest: bool, a: v128, b: v128): v128 {
  return largest ? f32x4.pmax(a, b) : f32x4.add(a, b);
}

/**
 * One pixel of a pooled image: the largest, or the sum divided by `divisor`, over nx x ny >= 1 pixels
 * at `x`, for each of `channels`. NaN is never the largest, and nothing is below the least number, as in
 * onnxruntime. Goes on from what stands at `out` unless `first`. 16 channels at a
 * time, then 4, then the tail. Steps in bytes.
 */
@inline
function body(
  largest: bool, first: bool,
  x: usize, stepX: usize, stepY: usize, nx: u32, ny: u32, channels: u32, out: usize, divisor: f32,
): void {
  const divisors = f32x4.splat(divisor);
  let c = channels;
  for (; c >= 16; c -= 16, x += 64, out += 64) {
    let s0 = first ? f32x4.splat(largest ? -f32.MAX_VALUE : 0) : v128.load(out);
    let s1 = first ? s0 : v128.load(out, 16);
    let s2 = first ? s0 : v128.load(out, 32);
    let s3 = first ? s0 : v128.load(out, 48);
    for (let y: u32 = 0, row = x; y < ny; y++, row += stepY) {
      let p = row;
      let n = nx;
      do {
        s0 = merge(largest, s0, v128.load(p));
        s1 = merge(largest, s1, v128.load(p, 16));
        s2 = merge(largest, s2, v128.load(p, 32));
        s3 = merge(largest, s3, v128.load(p, 48));
        p += stepX;
      } while (--n);
    }
    v128.store(out, largest ? s0 : f32x4.div(s0, divisors));
    v128.store(out, largest ? s1 : f32x4.div(s1, divisors), 16);
    v128.store(out, largest ? s2 : f32x4.div(s2, divisors), 32);
    v128.store(out, largest ? s3 : f32x4.div(s3, divisors), 48);
  }
  while (c > 0) {
    const lanes = min(c, 4);
    let s = f32x4.splat(largest ? -f32.MAX_VALUE : 0);
    if (!first) s = lanes == 4 ? v128.load(out) : loadTail(out, lanes);
    for (let y: u32 = 0, row = x; y < ny; y++, row += stepY) {
      let p = row;
      for (let n = nx; n != 0; n--, p += stepX) s = merge(largest, s, lanes == 4 ? v128.load(p) : loadTail(p, lanes));
    }
    if (!largest) s = f32x4.div(s, divisors);
    if (lanes == 4) v128.store(out, s);
    else storeTail(out, s, lanes);
    c -= lanes;
    x += 16;
    out += 16;
  }
}

export function maxPixel(
  x: usize, stepX: usize, stepY: usize, nx: u32, ny: u32, channels: u32, out: usize,
): void {
  body(true, true, x, stepX, stepY, nx, ny, channels, out, 1);
}

export function averagePixel(
  x: usize, stepX: usize, stepY: usize, nx: u32, ny: u32, channels: u32, out: usize, divisor: f32,
): void {
  body(false, true, x, stepX, stepY, nx, ny, channels, out, divisor);
}

/** As {@link maxPixel}, on from what stands at `out`. */
export function maxPixelOn(
  x: usize, stepX: usize, stepY: usize, nx: u32, ny: u32, channels: u32, out: usize,
): void {
  body(true, false, x, stepX, stepY, nx, ny, channels, out, 1);
}

/** As {@link averagePixel}, on from the sums at `out`. */
export function averagePixelOn(
  x: usize, stepX: usize, stepY: usize, nx: u32, ny: u32, channels: u32, out: usize, divisor: f32,
): void {
  body(false, false, x, stepX, stepY, nx, ny, channels, out, divisor);
}

@inline
function larger<T>(a: v128, b: v128): v128 {
  return isSigned<T>() ? i8x16.max_s(a, b) : i8x16.max_u(a, b);
}

/** {@link maxPixel} of bytes of type T, 16 channels at a time, then one by one; `first`: not from what stands at `out`. */
@inline
function maxBytes<T>(
  first: bool, x: usize, stepX: usize, stepY: usize, nx: u32, ny: u32, channels: u32, out: usize,
): void {
  const least = isSigned<T>() ? i8x16.splat(-128) : i8x16.splat(0);
  let c = channels;
  for (; c >= 16; c -= 16, x += 16, out += 16) {
    let s = first ? least : v128.load(out);
    for (let y: u32 = 0, row = x; y < ny; y++, row += stepY) {
      for (let n = nx, p = row; n != 0; n--, p += stepX) s = larger<T>(s, v128.load(p));
    }
    v128.store(out, s);
  }
  for (; c != 0; c--, x++, out++) {
    let s = first ? least : v128.load8_splat(out);
    for (let y: u32 = 0, row = x; y < ny; y++, row += stepY) {
      for (let n = nx, p = row; n != 0; n--, p += stepX) s = larger<T>(s, v128.load8_splat(p));
    }
    v128.store8_lane(out, s, 0);
  }
}

/** As {@link maxPixel}, or {@link maxPixelOn} unless `first`, of bytes with a sign or without. */
export function maxPixelBytes(
  signed: bool, first: bool,
  x: usize, stepX: usize, stepY: usize, nx: u32, ny: u32, channels: u32, out: usize,
): void {
  if (signed) maxBytes<i8>(first, x, stepX, stepY, nx, ny, channels, out);
  else maxBytes<u8>(first, x, stepX, stepY, nx, ny, channels, out);
}
