import { CanisterError, DType } from '../generated/constants';
import { fillWords, widenBytes } from '../kernels/integer-rows';
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
  checkParameters, isBytes, isUnderWay, leftZero, multiplyRows, packedBytes, packedRoom, packMatrix, paddedDepth,
  prepareProduct, resultBytes, rowAt, rowsOf, setRowSum,
} from './integer-product';
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
  if (!prepareProduct(integerConvTo(), pixels, depth, outC, group, unsigned ? 128 : 0, first)) return FAILED;
  setProgress(2);
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
      if (!isUnderWay()) for (let r: u32 = 0; r < some; r++) gather(input(0), pixel + r, g, r, signed, zero);
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

/** Row `r` of the product: what the window of a pixel of the result covers, zeros where it covers the padding. */
function gather(x: Tensor, pixel: u32, g: u32, r: u32, signed: bool, zero: i32): void {
  const n = pixel / (outHeight * outWidth);
  const oy = <i32>(pixel / outWidth % outHeight);
  const ox = <i32>(pixel % outWidth);
  let to = rowAt(r);
  let sum = 0;
  const image = x.data + <usize>n * (height * width) * channels + g * groupIn;
  const x0 = ox * strideW - padLeft;
  // Taps that lie beside each other are one run of bytes where they inside the image and not of a group.
  const whole = group == 1 && dilationW == 1 && x0 >= 0 && x0 + kernelW <= width;
  for (let ky = 0; ky < kernelH; ky++) {
    const iy = oy * strideH - padTop + ky * dilationH;
    if (iy < 0 || iy >= height) {
      fillWords(to, kernelW * groupIn);
      to += <usize>(kernelW * groupIn) << 1;
    } else if (whole) {
      sum += widenBytes(signed, image + <usize>(iy * width + x0) * channels, kernelW * groupIn, to, zero);
      to += <usize>(kernelW * groupIn) << 1;
    } else {
      for (let kx = 0; kx < kernelW; kx++, to += <usize>groupIn << 1) {
        const ix = x0 + kx * dilationW;
        if (ix < 0 || ix >= width) fillWords(to, groupIn);
        else sum += widenBytes(signed, image + <usize>(iy * width + ix) * channels, groupIn, to, zero);
      }
    }
  }
  fillWords(to, paddedDepth(depth) - depth);
  setRowSum(r, sum);
}
