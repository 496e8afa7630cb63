import { depthwise3x3 } from './depthwise-3x3';
import { depthwiseRow } from './depthwise-row';
import { clampRows, fillRows } from './rows';
import { endTap, firstTap } from './taps';

/**
 * One filter per channel. The output is cut into rectangles whose pixels see the same taps: one
 * inside, narrow ones at the borders; so padding costs no branches and no zeros. Sizes in pixels.
 */
let height: i32 = 0;
let width: i32 = 0;
let kernelH: i32 = 0;
let kernelW: i32 = 0;
let strideH: i32 = 0;
let strideW: i32 = 0;
let padTop: i32 = 0;
let padLeft: i32 = 0;
let dilationH: i32 = 0;
let dilationW: i32 = 0;
/** Bytes from a pixel to the next, of input and output. */
let pixelStep: usize = 0;
/** Bytes from a tap's weights to the next's. */
let wTap: usize = 0;

/** Geometry of the images and filters that {@link depthwiseTile} works on. */
export function setDepthwise(
  h: i32, w: i32, kh: i32, kw: i32, sh: i32, sw: i32, top: i32, left: i32,
  dh: i32, dw: i32, channels: u32, packedChannels: u32,
): void {
  height = h;
  width = w;
  kernelH = kh;
  kernelW = kw;
  strideH = sh;
  strideW = sw;
  padTop = top;
  padLeft = left;
  dilationH = dh;
  dilationW = dw;
  pixelStep = <usize>channels << 2;
  wTap = <usize>packedChannels << 2;
}

/** End of the run of outputs from `at` that all see the whole kernel; `at` + 1 where `at` does not. */
@inline
function runEnd(at: i32, stride: i32, pad: i32, kernel: i32, dilation: i32, size: i32, to: i32): i32 {
  const begin = at * stride - pad;
  const room = size - (kernel - 1) * dilation - 1 + pad;
  if (begin < 0 || at * stride > room) return at + 1;
  return min(to, room / stride + 1);
}

/** A rectangle of pixels that see the taps [ky0, ky1) x [kx0, kx1). */
function cell(
  bytes: usize, clamp: bool, a: usize, out: usize, outStepX: usize, outStepY: usize, nx: u32, ny: u32,
  w: usize, bias: usize, ky0: i32, ky1: i32, kx0: i32, kx1: i32,
): void {
  const stepX = <usize>strideW * pixelStep;
  const stepY = <usize>(strideH * width) * pixelStep;
  const tapX = <usize>dilationW * pixelStep;
  const tapY = <usize>(dilationH * width) * pixelStep;
  const rows = ky1 - ky0;
  const taps = kx1 - kx0;
  if (rows <= 0 || taps <= 0) {
    fillRows(out, outStepX, outStepY, nx, ny, bias, bytes);
    if (clamp) clampRows(out, outStepX, outStepY, nx, ny, bytes);
    return;
  }
  if (rows == 3 && taps == 3 && kernelW == 3) {
    depthwise3x3(bytes, clamp, a, stepX, stepY, tapX, tapY, out, outStepX, outStepY, nx, ny, w, wTap, bias);
    return;
  }
  let first = true;
  for (let ky = ky0; ky < ky1; ky++) {
    let from = a + <usize>(ky - ky0) * tapY;
    for (let kx = kx0; kx < kx1; ) {
      const left = kx1 - kx;
      const count = left == 5 || left < 4 ? left : 3;
      const last = clamp && ky == ky1 - 1 && kx + count == kx1;
      const wAt = w + <usize>((ky - ky0) * kernelW + kx - kx0) * wTap;
      depthwiseRow(bytes, count, first, last, from, stepX, stepY, tapX, out, outStepX, outStepY, nx, ny, wAt, wTap, bias);
      first = false;
      from += <usize>count * tapX;
      kx += count;
    }
  }
}

/**
 * `bytes` (16 or 64) of channels for the columns [x0, x1) of the output rows [from, to) of one image.
 * `image`, `w` and `bias` begin at the first of these channels; `out` is their address at the first of
 * these pixels.
 */
export function depthwiseTile(
  bytes: usize, clamp: bool, image: usize, from: i32, to: i32, x0: i32, x1: i32,
  w: usize, bias: usize, out: usize, outStepX: usize, outStepY: usize,
): void {
  for (let y = from; y < to; ) {
    const yEnd = runEnd(y, strideH, padTop, kernelH, dilationH, height, to);
    const iy = y * strideH - padTop;
    const ky0 = firstTap(iy, dilationH);
    const ky1 = endTap(iy, height, kernelH, dilationH);
    for (let x = x0; x < x1; ) {
      const xEnd = runEnd(x, strideW, padLeft, kernelW, dilationW, width, x1);
      const ix = x * strideW - padLeft;
      const kx0 = firstTap(ix, dilationW);
      const kx1 = endTap(ix, width, kernelW, dilationW);
      cell(
        bytes, clamp,
        image + <usize>((iy + ky0 * dilationH) * width + ix + kx0 * dilationW) * pixelStep,
        out + <usize>(y - from) * outStepY + <usize>(x - x0) * outStepX,
        outStepX, outStepY, xEnd - x, yEnd - y,
        w + <usize>(ky0 * kernelW + kx0) * wTap, bias, ky0, ky1, kx0, kx1,
      );
      x = xEnd;
    }
    y = yEnd;
  }
}
