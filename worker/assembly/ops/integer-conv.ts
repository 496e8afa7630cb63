import { CanisterError, DType } from '../generated/constants';
import { fillWords, sumWords, widenRows } from '../kernels/integer-rows';
import { endTapMostlyInside, firstTap } from '../kernels/taps';
import { spent } from '../tensor/budget';
import { text } from '../tensor/errors';
import { failInput, failNode, hasInput, input, output, progress, setProgress, setSlot, slot } from '../tensor/node';
import { Tensor } from '../tensor/tensor';
import {
  integerConvGroup, integerConvInChannels, integerConvOutChannels, integerConvPacked, integerConvTo, integerConvUnsigned,
} from './generated/attributes';
import {
  allocImage, batch, channels, dilationH, dilationW, height, kernelH, kernelW, outHeight, outWidth, padLeft, padTop,
  readImageOf, strideH, strideW, width,
} from './image';
import {
  checkParameters, isBytes, isUnderWay, leftZero, multiplyRows, needsRowSums, packedBytes, packedRoom,
  packMatrix, prepareProduct, resultBytes, rowAt, rowsOf, setRowSum,
} from './integer-product';
import { depthwise, isSmallDepthwise } from './integer-depthwise';
import { DONE, FAILED, YIELD } from './status';
import { packedChannels } from './weights';

const SLOT_PIXEL: u32 = 0;
const SLOT_GROUP: u32 = 1;
/** Groups whose filters are packed. */
const SLOT_PACKED: u32 = 2;

/** About what a tap takes beside its elements. */
const TAP: u64 = 60;

let group: u32 = 0;
let groupIn: u32 = 0;
let groupOut: u32 = 0;
let depth: u32 = 0;

/** X [n,h,w,inC] and filters, each less its zero point; then what the type of the result says. */
export function integerConv(): i32 {
  const x = input(0);
  if (!isBytes(x.dtype) || !hasInput(1) || !isBytes(input(1).dtype)) {
    failInput(isBytes(x.dtype) ? 1 : 0, 'int8 or uint8');
    return FAILED;
  }
  if (!readImageOf(false)) return FAILED;
  group = integerConvGroup();
  const packed = integerConvPacked();
  if (progress == 0 && !begin(packed)) return FAILED;
  const first = progress == 1;
  if (output(0).byteLength == 0) return DONE;
  sizes();
  const unsigned = packed ? integerConvUnsigned() : input(1).dtype == DType.uint8;
  const outC = group * groupOut;
  const pixels = batch * outHeight * outWidth;
  const isDepthwise = groupIn == 1 && groupOut == 1 && isSmallDepthwise(depth);
  const groups = isDepthwise ? 1 : group;
  const rows = isDepthwise ? 1 : pixels;
  if (!prepareProduct(integerConvTo(), rows, depth, outC, groups, unsigned ? 128 : 0, first)) return FAILED;
  setProgress(2);
  if (isDepthwise) {
    return depthwise(input(1).data, packed, unsigned ? 0x80 : 0, input(0).dtype == DType.int8, leftZero(), first);
  }
  let w = input(1).data;
  const step = <usize>packedBytes(depth, groupOut);
  if (!packed) {
    w = packedRoom(depth, groupOut, group);
    if (w == 0) return FAILED;
    for (let g = slot(SLOT_PACKED); g < group; g++) {
      const from = input(1).data + <usize>g * groupOut * depth;
      if (!packMatrix(from, 1, depth, depth, groupOut, unsigned ? 0x80 : 0, w + g * step)) {
        setSlot(SLOT_PACKED, g);
        return YIELD;
      }
    }
    setSlot(SLOT_PACKED, group);
  }
  return convolve(w, step, pixels, leftZero());
}

function sizes(): void {
  groupIn = integerConvInChannels() / group;
  groupOut = integerConvOutChannels() / group;
  depth = <u32>(kernelH * kernelW) * groupIn;
}

function begin(packed: bool): bool {
  const inC = integerConvInChannels();
  const outC = integerConvOutChannels();
  if (group == 0 || inC == 0 || outC == 0 || inC % group != 0 || outC % group != 0) {
    failNode(CanisterError.badShard);
    text('channels that are multiples of the groups expected');
    return false;
  }
  if (channels != inC) {
    failInput(0, 'of as many channels as the filters');
    return false;
  }
  sizes();
  if (<u64>kernelH * kernelW * groupIn > 1 << 26) {
    failInput(1, 'smaller filters');
    return false;
  }
  const expected = packed ? packedBytes(depth, groupOut) * group : <u64>depth * outC;
  if (<u64>input(1).byteLength != expected) {
    failInput(1, 'filters of the sizes of the node');
    return false;
  }
  if (!checkParameters(integerConvTo(), outC)) return false;
  setProgress(1);
  return allocImage(outC, integerConvTo());
}

/** Some pixels of the results at a time, group by group. */
function convolve(w: usize, wStep: usize, pixels: u32, zero: i32): i32 {
  const signed = input(0).dtype == DType.int8;
  const outStep = <usize>(group * groupOut) * resultBytes();
  let g = slot(SLOT_GROUP);
  for (let pixel = slot(SLOT_PIXEL); pixel < pixels; ) {
    const some = rowsOf(pixels - pixel);
    for (; g < group; g++) {
      if (!isUnderWay()) gather(pixel, some, g, signed, zero);
      const out = output(0).data + pixel * outStep + <usize>(g * groupOut) * resultBytes();
      const done = multiplyRows(some, groupOut, w + g * wStep, g * packedChannels(groupOut), out, outStep);
      if (!done || (g + 1 < group && spent(<u64>some * (depth * (groupOut + 3) + TAP * kernelH * kernelW)))) {
        setSlot(SLOT_PIXEL, pixel);
        setSlot(SLOT_GROUP, done ? g + 1 : g);
        return YIELD;
      }
    }
    g = 0;
    pixel += some;
    if (pixel < pixels && spent(<u64>some * (depth * (groupOut + 3) + TAP * kernelH * kernelW))) {
      setSlot(SLOT_PIXEL, pixel);
      setSlot(SLOT_GROUP, 0);
      return YIELD;
    }
  }
  return DONE;
}

/** Rows of the product: what the windows of some pixels of the result cover, zeros where they cover the padding. */
function gather(pixel: u32, some: u32, g: u32, signed: bool, zero: i32): void {
  const row = pixel / outWidth;
  let ox = <i32>(pixel - row * outWidth);
  let oy = <i32>(row % outHeight);
  let image = input(0).data + <usize>(row / outHeight) * (height * width) * channels + g * groupIn;
  // Taps of a line that lie beside each other are one run of bytes.
  const isRun = group == 1 && dilationW == 1;
  const lastY = height - 1 - (kernelH - 1) * dilationH;
  const lastX = width - kernelW;
  const step = <usize>(dilationH * width) * channels;
  const line = <u32>kernelW * groupIn;
  for (let r: u32 = 0; r < some; r++) {
    const iy = oy * strideH - padTop;
    const ix = ox * strideW - padLeft;
    const isInside = iy >= 0 && iy <= lastY && ix >= 0 && ix <= lastX;
    if (isRun && isInside) {
      const from = image + <usize>(iy * width + ix) * channels;
      widenRows(signed, from, step, kernelH, line, rowAt(r), <usize>line << 1, zero);
    } else gatherWindow(image, iy, ix, rowAt(r), signed, zero);
    if (needsRowSums()) setRowSum(r, sumWords(rowAt(r), depth));
    if (++ox == outWidth) {
      ox = 0;
      if (++oy == outHeight) {
        oy = 0;
        image += <usize>(height * width) * channels;
      }
    }
  }
}

/**
 * The window that begins at (iy, ix) of an image; the words behind its end meet weights of 0. It is written from
 * front to back: each part covers what the one before has written too much.
 */
function gatherWindow(image: usize, iy: i32, ix: i32, to: usize, signed: bool, zero: i32): void {
  const ky0 = min(kernelH, firstTap(iy, dilationH));
  const ky1 = max(ky0, endTapMostlyInside(iy, height, kernelH, dilationH));
  const kx0 = min(kernelW, firstTap(ix, dilationW));
  const kx1 = max(kx0, endTapMostlyInside(ix, width, kernelW, dilationW));
  const lineWords = <u32>kernelW * groupIn;
  const lineStep = <usize>(dilationH * width) * channels;
  const isRun = group == 1 && dilationW == 1;
  const taps = <u32>(kx1 - kx0);
  const before = <u32>kx0 * groupIn;
  const behind = lineWords - (<u32>kx1) * groupIn;
  fillWords(to, <u32>ky0 * lineWords);
  to += (<usize>ky0 * lineWords) << 1;
  let from = image + <usize>((iy + ky0 * dilationH) * width + ix + kx0 * dilationW) * channels;
  if (isRun && taps == kernelW) {
    widenRows(signed, from, lineStep, ky1 - ky0, lineWords, to, <usize>lineWords << 1, zero);
    to += (<usize>(ky1 - ky0) * lineWords) << 1;
  } else {
    for (let ky = ky0; ky < ky1; ky++, from += lineStep) {
      fillWords(to, before);
      to += <usize>before << 1;
      if (isRun) widenRows(signed, from, 0, 1, taps * groupIn, to, 0, zero);
      else widenRows(signed, from, <usize>dilationW * channels, taps, groupIn, to, <usize>groupIn << 1, zero);
      to += (<usize>taps * groupIn) << 1;
      fillWords(to, behind);
      to += <usize>behind << 1;
    }
  }
  fillWords(to, <u32>(kernelH - ky1) * lineWords);
}
