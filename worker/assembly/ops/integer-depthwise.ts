import { integerChannels, mostDepthwiseWeights } from '../generated/constants';
import { depthwisePixel } from '../kernels/integer-depthwise';
import { endTapMostlyInside, firstTap } from '../kernels/taps';
import { spent } from '../tensor/budget';
import { input, output, setSlot, slot, temporary } from '../tensor/node';
import {
  batch, channels, dilationH, dilationW, height, kernelH, kernelW, outHeight, outWidth, padLeft, padTop, strideH,
  strideW, width,
} from './image';
import { dropZeros, finishRows, paddedDepth, resultBytes, rowSums, weightZero } from './integer-product';
import { DONE, FAILED, YIELD } from './status';

const SLOT_PIXEL: u32 = 0;
const TEMPORARY_WEIGHTS: u32 = 2;
/** About what a tap of a channel takes, a channel of a result, and a pixel. */
const TAP: u64 = 5;
const RESULT: u64 = 8;
const PIXEL: u64 = 150;

/** Whether filters of one channel each are so small that {@link depthwise} takes them. */
export function isSmallDepthwise(depth: u32): bool {
  return <u64>depth * channels <= mostDepthwiseWeights;
}

/**
 * Sums of images [n,h,w,c] and a filter for each channel, and what becomes of them. The parameters are laid out as
 * those of one group. `flip` turns bytes of filters that are no packed matrices into those that packed ones hold.
 */
export function depthwise(w: usize, packed: bool, flip: u32, signed: bool, zero: i32, first: bool): i32 {
  const taps = <u32>(kernelH * kernelW);
  const line = (channels + 7) & ~7;
  const weights = temporary(TEMPORARY_WEIGHTS, <usize>(taps * line) << 1);
  if (weights == 0) return FAILED;
  if (first) {
    layOutWeights(w, packed, flip, taps, line, weights);
    dropZeros();
  }
  const pixels = batch * outHeight * outWidth;
  const cost = <u64>channels * (taps * TAP + RESULT) + PIXEL;
  for (let p = slot(SLOT_PIXEL); p < pixels; ) {
    onePixel(p, weights, <usize>line << 1, signed, zero);
    p++;
    if (p < pixels && spent(cost)) {
      setSlot(SLOT_PIXEL, p);
      return YIELD;
    }
  }
  return DONE;
}

/** Weights less their zero points as [tap][channel] of 16 bits. */
function layOutWeights(w: usize, packed: bool, flip: u32, taps: u32, line: u32, to: usize): void {
  memory.fill(to, 0, <usize>(taps * line) << 1);
  const step: usize = packed ? <usize>paddedDepth(taps) << 2 : taps;
  for (let c: u32 = 0; c < channels; c++, w += step, to += 2) {
    const zero = weightZero(c);
    let q = to;
    for (let k: u32 = 0; k < taps; k++, q += <usize>line << 1) {
      const weight = packed ? load<i8>(w + ((k >>> 1) << 3) + (k & 1)) : <i8>(load<u8>(w + k) ^ flip);
      store<i16>(q, <i16>(<i32>weight - zero));
    }
  }
}

function onePixel(p: u32, weights: usize, wStep: usize, signed: bool, zero: i32): void {
  const row = p / outWidth;
  const iy = <i32>(row % outHeight) * strideH - padTop;
  const ix = <i32>(p - row * outWidth) * strideW - padLeft;
  const ky0 = min(kernelH, firstTap(iy, dilationH));
  const ky1 = max(ky0, endTapMostlyInside(iy, height, kernelH, dilationH));
  const kx0 = min(kernelW, firstTap(ix, dilationW));
  const kx1 = max(kx0, endTapMostlyInside(ix, width, kernelW, dilationW));
  const stepX = <usize>dilationW * channels;
  const stepY = <usize>(dilationH * width) * channels;
  const image = input(0).data + <usize>(row / outHeight) * <usize>(height * width) * channels;
  const from = image + <usize>((iy + ky0 * dilationH) * width + ix + kx0 * dilationW) * channels;
  const w = weights + <usize>(ky0 * kernelW + kx0) * wStep;
  const out = output(0).data + <usize>p * channels * resultBytes();
  for (let c: u32 = 0; c < channels; c += integerChannels) {
    const some = min(integerChannels, channels - c);
    const at = w + (<usize>c << 1);
    depthwisePixel(
      signed, from + c, stepX, stepY, kx1 - kx0, ky1 - ky0, at, wStep, <usize>kernelW * wStep, zero, some, rowSums(),
    );
    finishRows(1, c, some, out + <usize>c * resultBytes(), 0);
  }
}
