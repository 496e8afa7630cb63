import { clampHigh, clampLow } from './clamp';
import { storeTail } from './lanes';

/** Writes `width` bytes of `values` (a multiple of 16, at most 64) to every pixel of a rectangle. */
export function fillRows(
  out: usize, stepX: usize, stepY: usize, nx: u32, ny: u32, values: usize, width: usize,
): void {
  for (; ny != 0; ny--, out += stepY) {
    let q = out;
    for (let n = nx; n != 0; n--, q += stepX) {
      for (let i: usize = 0; i < width; i += 16) v128.store(q + i, v128.load(values + i));
    }
  }
}

/** Clamps `width` bytes (a multiple of 16) of every pixel of a rectangle. */
export function clampRows(
  out: usize, stepX: usize, stepY: usize, nx: u32, ny: u32, width: usize,
): void {
  const low = clampLow();
  const high = clampHigh();
  for (; ny != 0; ny--, out += stepY) {
    let q = out;
    for (let n = nx; n != 0; n--, q += stepX) {
      for (let i: usize = 0; i < width; i += 16) {
        v128.store(q + i, f32x4.pmin(f32x4.pmax(v128.load(q + i), low), high));
      }
    }
  }
}

/** Copies the first `lanes` floats (1 to 16) of each of `count` rows. Steps in bytes. */
export function copyLanes(
  src: usize, srcStep: usize, dst: usize, dstStep: usize, count: u32, lanes: u32,
): void {
  const whole: usize = (<usize>(lanes >>> 2)) << 4;
  const rest = lanes & 3;
  for (; count != 0; count--, src += srcStep, dst += dstStep) {
    for (let i: usize = 0; i < whole; i += 16) v128.store(dst + i, v128.load(src + i));
    if (rest != 0) storeTail(dst + whole, v128.load(src + whole), rest);
  }
}
