import { DType } from '../generated/constants';
import { averagePixel, averagePixelOn, maxPixel, maxPixelBytes, maxPixelOn } from '../kernels/pool';
import { endTap, firstTap } from '../kernels/taps';
import { input, output, progress, setProgress, setSlot, slot } from '../tensor/node';
import { unitsOfBlock, yieldsAt } from './blocks';
import {
  allocImage, batch, channels, dilationH, dilationW, height, kernelH, kernelW, outHeight, outWidth, padBottom, padLeft,
  padRight, padTop, readImage, readImageOf,
  strideH, strideW, width,
} from './image';
import { DONE, FAILED, YIELD } from './status';

export const SLOT_PIXEL: u32 = 0;
const SLOT_CHANNEL: u32 = 1;
const SLOT_TAP_ROW: u32 = 2;
const SLOT_TAP: u32 = 3;
/** About what a pixel of a window takes a channel. */
const COST: u64 = 3;
/** The same for the channels behind the last four, and what a pixel of the result takes a channel. */
const TAIL: u64 = 36;
const PIXEL: u64 = 10;
/** Instructions above which one window is gone through in parts, and pixels of a part. */
const LARGE: u64 = 4_000_000;
const TAPS: u32 = 1 << 16;

/**
 * One pixel of the result over a window of nx x ny pixels, in parts: some channels, for each some
 * pixels of one row or some rows. False where it yields: call it again with the same arguments. Uses
 * slots 1 to 3, which are 0 before and after.
 */
export function window(
  largest: bool, from: usize, stepX: usize, stepY: usize, nx: u32, ny: u32, c: u32, to: usize, divisor: f32,
): bool {
  const across = min(nx, TAPS);
  const down = across == nx ? min(ny, TAPS / across) : 1;
  const type = input(0).dtype;
  const isFloat = type == DType.float32;
  const width = across == nx && down == ny ? max(16, unitsOfBlock(<u64>nx * ny * COST + PIXEL) & ~15) : 16;
  for (let first = slot(SLOT_CHANNEL); first < c; first += width) {
    const count = min(width, c - first);
    const offset = isFloat ? <usize>first << 2 : first;
    for (let y = slot(SLOT_TAP_ROW); y < ny; y += down) {
      const rows = min(down, ny - y);
      for (let x = slot(SLOT_TAP); x < nx; ) {
        const taps = min(across, nx - x);
        const at = from + offset + <usize>y * stepY + <usize>x * stepX;
        const isFirst = x == 0 && y == 0;
        const isLast = x + taps == nx && y + rows == ny;
        const by: f32 = isLast ? divisor : 1;
        if (!isFloat) maxPixelBytes(type == DType.int8, isFirst, at, stepX, stepY, taps, rows, count, to + offset);
        else if (largest && isFirst) maxPixel(at, stepX, stepY, taps, rows, count, to + offset);
        else if (largest) maxPixelOn(at, stepX, stepY, taps, rows, count, to + offset);
        else if (isFirst) averagePixel(at, stepX, stepY, taps, rows, count, to + offset, by);
        else averagePixelOn(at, stepX, stepY, taps, rows, count, to + offset, by);
        x += taps;
        if (yieldsAt(SLOT_TAP, x, <u64>taps * rows * (count * COST + TAIL) + count * PIXEL)) {
          setSlot(SLOT_CHANNEL, first);
          setSlot(SLOT_TAP_ROW, y);
          return false;
        }
      }
      setSlot(SLOT_TAP, 0);
    }
    setSlot(SLOT_TAP_ROW, 0);
  }
  setSlot(SLOT_CHANNEL, 0);
  return true;
}

/** A window of padding alone: no value is the largest, and the average is of zeros. */
function fillPadding(largest: bool, type: u32, to: usize): void {
  if (type != DType.float32) memory.fill(to, type == DType.int8 ? 0x80 : 0, channels);
  else for (let c: u32 = 0; c < channels; c++) store<f32>(to + (<usize>c << 2), largest ? -f32.MAX_VALUE : 0);
}

/** The largest of each window, also of bytes, or its mean. */
export function pool(largest: bool, ceil: bool, includePad: bool): i32 {
  const type = input(0).dtype;
  const isBytes = largest && (type == DType.int8 || type == DType.uint8);
  if (isBytes ? !readImageOf(ceil, true) : !readImage(ceil, true)) return FAILED;
  const out = output(0);
  if (progress == 0) {
    if (!allocImage(channels, type)) return FAILED;
    setProgress(1);
  }
  if (out.byteLength == 0) return DONE;
  const pixel = isBytes ? <usize>channels : <usize>channels << 2;
  const stepX = <usize>dilationW * pixel;
  const stepY = <usize>(dilationH * width) * pixel;
  const taps = <u64>(min(kernelH, height) * min(kernelW, width));
  const cost = taps * (channels * COST + TAIL) + channels * PIXEL + 60;
  const isLarge = cost > LARGE;
  const some: u32 = isLarge ? 1 : unitsOfBlock(cost);
  const pixels = batch * outHeight * outWidth;
  let until = slot(SLOT_PIXEL);
  for (let p = until; p < pixels; ) {
    until = p + min(some, pixels - p);
    while (p < until) {
      // The rest of the block, or of its row of pixels.
      const row = p / outWidth;
      const x0 = <i32>(p - row * outWidth);
      const x1 = <i32>min<u32>(outWidth, x0 + until - p);
      const image = input(0).data + <usize>(row / outHeight) * <usize>(height * width) * pixel;
      const iy = <i32>(row % outHeight) * strideH - padTop;
      const ky0 = firstTap(iy, dilationH);
      const ky1 = endTap(iy, height, kernelH, dilationH);
      const countY = includePad ? endTap(iy, height + padBottom, kernelH, dilationH) : ky1 - ky0;
      let to = out.data + <usize>p * pixel;
      for (let x = x0; x < x1; x++, p++, to += pixel) {
        const ix = x * strideW - padLeft;
        const kx0 = firstTap(ix, dilationW);
        const kx1 = endTap(ix, width, kernelW, dilationW);
        const countX = includePad ? endTap(ix, width + padRight, kernelW, dilationW) : kx1 - kx0;
        if (ky0 >= ky1 || kx0 >= kx1) {
          fillPadding(largest, type, to);
          continue;
        }
        const from = image + <usize>((iy + ky0 * dilationH) * width + ix + kx0 * dilationW) * pixel;
        const divisor = <f32>(countX * countY);
        if (isLarge) {
          if (!window(largest, from, stepX, stepY, kx1 - kx0, ky1 - ky0, channels, to, divisor)) {
            setSlot(SLOT_PIXEL, p);
            return YIELD;
          }
        } else if (isBytes) maxPixelBytes(type == DType.int8, true, from, stepX, stepY, kx1 - kx0, ky1 - ky0, channels, to);
        else if (largest) maxPixel(from, stepX, stepY, kx1 - kx0, ky1 - ky0, channels, to);
        else averagePixel(from, stepX, stepY, kx1 - kx0, ky1 - ky0, channels, to, divisor);
      }
    }
    if (!isLarge && p < pixels && yieldsAt(SLOT_PIXEL, p, cost * some)) return YIELD;
  }
  return DONE;
}
