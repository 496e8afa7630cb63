import { depthPiece } from '../generated/constants';
import { gemm } from './gemm';
import { clampRows, fillRows } from './rows';

/**
 * Convolution as a matrix product without a copy of the image: each filter tap, or each filter row
 * where its taps lie side by side in the image, multiplies a rectangle of pixels that it covers, so
 * padding costs no branches. Channels-last images, sizes in floats, steps in bytes.
 */
let height: i32 = 0;
let width: i32 = 0;
let outHeight: i32 = 0;
let outWidth: i32 = 0;
let kernelH: i32 = 0;
let kernelW: i32 = 0;
let strideH: i32 = 0;
let strideW: i32 = 0;
let padTop: i32 = 0;
let padLeft: i32 = 0;
let dilationH: i32 = 0;
let dilationW: i32 = 0;
/** Input channels a filter sees. */
let depth: u32 = 0;
/** Bytes from a pixel of the input to the next. */
let pixelStep: usize = 0;
/** Output columns of the tile under way. */
let fromX: i32 = 0;
let toX: i32 = 0;
/** Filter rows at a time instead of taps. */
let wholeRows: bool = false;

/** Input channels below which the taps of a filter row go together: longer sums in registers. */
const WHOLE_ROW_CHANNELS: u32 = 16;

/** First output index whose input index `i * stride - offset` is at least 0, at most `size`. */
@inline
function firstInside(offset: i32, stride: i32, size: i32): i32 {
  return offset <= 0 ? 0 : min((offset + stride - 1) / stride, size);
}

/** First output index whose input index `i * stride - offset` is `limit` or more, at most `size`. */
@inline
function firstBeyond(offset: i32, stride: i32, limit: i32, size: i32): i32 {
  const last = limit - 1 + offset;
  return last < 0 ? 0 : min(last / stride + 1, size);
}

/** Geometry of the images and filters that {@link convTile} works on. */
export function setConv(
  h: i32, w: i32, oh: i32, ow: i32, kh: i32, kw: i32, sh: i32, sw: i32, top: i32, left: i32,
  dh: i32, dw: i32, channels: u32, groupChannels: u32,
): void {
  height = h;
  width = w;
  outHeight = oh;
  outWidth = ow;
  kernelH = kh;
  kernelW = kw;
  strideH = sh;
  strideW = sw;
  padTop = top;
  padLeft = left;
  dilationH = dh;
  dilationW = dw;
  depth = groupChannels;
  pixelStep = <usize>channels << 2;
  const everyColumnCovered = left < kw && (ow - 1) * sw - left < w;
  wholeRows =
    kw > 1 && dw == 1 && channels == groupChannels && channels < WHOLE_ROW_CHANNELS && everyColumnCovered;
}

/** Whether step `i` reaches every pixel of the output rows [y0, y1). */
function covers(i: i32, y0: i32, y1: i32): bool {
  const ky = wholeRows ? i : i / kernelW;
  const top = padTop - ky * dilationH;
  if (firstInside(top, strideH, outHeight) > y0) return false;
  if (firstBeyond(top, strideH, height, outHeight) < y1) return false;
  if (wholeRows) return true;
  const left = padLeft - (i - ky * kernelW) * dilationW;
  return firstInside(left, strideW, outWidth) <= fromX && firstBeyond(left, strideW, width, outWidth) >= toX;
}

/**
 * `some` input channels from `channel` on of the taps [k0, k1) of filter row `ky`, on the columns
 * [x0, x1) of the output rows [y0, y1).
 */
@inline
function taps(
  panelWidth: usize, first: bool, clamp: bool, image: usize, channel: u32, some: u32, ky: i32, k0: i32, k1: i32,
  x0: i32, x1: i32, from: i32, y0: i32, y1: i32,
  w: usize, bias: usize, out: usize, outStepX: usize, outStepY: usize,
): void {
  const iy = y0 * strideH + ky * dilationH - padTop;
  const ix = x0 * strideW + k0 * dilationW - padLeft;
  gemm(
    panelWidth, first, clamp,
    image + <usize>(iy * width + ix) * pixelStep + (<usize>channel << 2),
    <usize>strideW * pixelStep,
    <usize>(strideH * width) * pixelStep,
    out + <usize>(y0 - from) * outStepY + <usize>(x0 - fromX) * outStepX,
    outStepX, outStepY, x1 - x0, y1 - y0,
    w + (<usize>((ky * kernelW + k0) * <i32>depth) + channel) * panelWidth,
    bias, <u32>(k1 - k0) * some,
  );
}

/** A whole filter row: inner columns with all its taps, outer ones with those inside the image. */
function filterRow(
  panelWidth: usize, first: bool, clamp: bool, image: usize, ky: i32, from: i32, y0: i32, y1: i32,
  w: usize, bias: usize, out: usize, outStepX: usize, outStepY: usize,
): void {
  const innerFrom = firstInside(padLeft, strideW, outWidth);
  const innerTo = firstBeyond(padLeft - kernelW + 1, strideW, width, outWidth);
  let x = fromX;
  while (x < toX) {
    const inner = x >= innerFrom && x < innerTo;
    const to = inner ? min(innerTo, toX) : x + 1;
    const ix = x * strideW - padLeft;
    const k0 = max(0, -ix);
    const k1 = inner ? kernelW : min(kernelW, width - ix);
    taps(panelWidth, first, clamp, image, 0, depth, ky, k0, k1, x, to, from, y0, y1, w, bias, out, outStepX, outStepY);
    x = to;
  }
}

/** `some` input channels from `channel` on of step `i`: of a tap, or of a filter row with all of them. */
function step(
  i: i32, channel: u32, some: u32, panelWidth: usize, first: bool, clamp: bool, image: usize, from: i32, to: i32,
  w: usize, bias: usize, out: usize, outStepX: usize, outStepY: usize,
): void {
  const ky = wholeRows ? i : i / kernelW;
  const top = padTop - ky * dilationH;
  const y0 = max(from, firstInside(top, strideH, outHeight));
  const y1 = min(to, firstBeyond(top, strideH, height, outHeight));
  if (y0 >= y1) return;
  if (wholeRows) {
    filterRow(panelWidth, first, clamp, image, ky, from, y0, y1, w, bias, out, outStepX, outStepY);
    return;
  }
  const kx = i - ky * kernelW;
  const left = padLeft - kx * dilationW;
  const x0 = max(fromX, firstInside(left, strideW, outWidth));
  const x1 = min(toX, firstBeyond(left, strideW, width, outWidth));
  if (x0 >= x1) return;
  taps(
    panelWidth, first, clamp, image, channel, some, ky, kx, kx + 1, x0, x1, from, y0, y1,
    w, bias, out, outStepX, outStepY,
  );
}

/** Input channels of one part of {@link convTile}, times the taps that go together. */
export function convDepth(): u32 {
  return wholeRows ? <u32>kernelW * depth : min(depth, depthPiece);
}

/** Parts {@link convTile} is done in: of each step, some input channels. */
export function convParts(): u32 {
  const steps = <u32>(wholeRows ? kernelH : kernelH * kernelW);
  return steps * piecesOfStep();
}

@inline
function piecesOfStep(): u32 {
  return wholeRows ? 1 : (depth - 1) / depthPiece + 1;
}

/**
 * Parts [part, until) of one panel of output channels, for the columns [x0, x1) of the output rows
 * [from, to) of one image. `out` is the address of the panel's channels at the first of these pixels.
 * The steps that reach all pixels come first, where it begins with the bias, and last, where it clamps;
 * where there is none, passes of their own do that.
 */
export function convTile(
  part: u32, until: u32, panelWidth: usize, clamp: bool, image: usize, from: i32, to: i32, x0: i32, x1: i32,
  w: usize, bias: usize, out: usize, outStepX: usize, outStepY: usize,
): void {
  fromX = x0;
  toX = x1;
  const steps = wholeRows ? kernelH : kernelH * kernelW;
  let firstStep = 0;
  while (firstStep < steps && !covers(firstStep, from, to)) firstStep++;
  let lastStep = steps - 1;
  while (lastStep > firstStep && !covers(lastStep, from, to)) lastStep--;
  const begins = firstStep < steps;
  const ends = begins && (lastStep > firstStep || steps == 1);
  const pieces = piecesOfStep();
  if (part == 0 && !begins) fillRows(out, outStepX, outStepY, x1 - x0, to - from, bias, panelWidth);
  for (; part < until; part++) {
    const place = <i32>(part / pieces);
    let i = place;
    if (begins && place == 0) i = firstStep;
    else if (ends && place == steps - 1) i = lastStep;
    else if (begins) {
      i = place <= firstStep ? place - 1 : place;
      if (ends && i >= lastStep) i++;
    }
    const piece = part - <u32>place * pieces;
    const channel = piece * depthPiece;
    const some = wholeRows ? depth : min(depthPiece, depth - channel);
    const last = ends && clamp && part + 1 == <u32>steps * pieces;
    step(i, channel, some, panelWidth, part == 0 && begins, last, image, from, to, w, bias, out, outStepX, outStepY);
  }
  if (until == <u32>steps * pieces && clamp && !ends) {
    clampRows(out, outStepX, outStepY, x1 - x0, to - from, panelWidth);
  }
}
