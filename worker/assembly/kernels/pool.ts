import { loadTail, storeTail } from './lanes';

@inline
function merge(largest: bool, a: v128, b: v128): v128 {
  return largest ? f32x4.pmax(a, b) : f32x4.add(a, b);
}

/**
 * One pixel of a pooled image: the largest, or the sum divided by `divisor`, over nx x ny >= 1 pixels
 * at `x`, for each of `channels`. 16 channels at a time, then 4, then the tail. Steps in bytes.
 */
@inline
function body(
  largest: bool, x: usize, stepX: usize, stepY: usize, nx: u32, ny: u32, channels: u32, out: usize, divisor: f32,
): void {
  const divisors = f32x4.splat(divisor);
  let c = channels;
  for (; c >= 16; c -= 16, x += 64, out += 64) {
    let s0 = f32x4.splat(largest ? -Infinity : 0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
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
    let s = f32x4.splat(largest ? -Infinity : 0);
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
  body(true, x, stepX, stepY, nx, ny, channels, out, 1);
}

export function averagePixel(
  x: usize, stepX: usize, stepY: usize, nx: u32, ny: u32, channels: u32, out: usize, divisor: f32,
): void {
  body(false, x, stepX, stepY, nx, ny, channels, out, divisor);
}
