import { CanisterError, DType, SamePad } from '../generated/constants';
import { number, text } from '../tensor/errors';
import { attr, failInput, failNode, input, output, outputAlloc } from '../tensor/node';
import { WindowWords } from './generated/attributes';

const WINDOW_WORDS: u32 = WindowWords.dilations + 2;

/** Geometry that Conv and pooling share, read from input 0 and the words of the window, which come first. */
export let batch: u32 = 0;
export let height: i32 = 0;
export let width: i32 = 0;
export let channels: u32 = 0;
export let kernelH: i32 = 0;
export let kernelW: i32 = 0;
export let strideH: i32 = 0;
export let strideW: i32 = 0;
export let padTop: i32 = 0;
export let padLeft: i32 = 0;
export let padBottom: i32 = 0;
export let padRight: i32 = 0;
export let dilationH: i32 = 0;
export let dilationW: i32 = 0;
export let outHeight: i32 = 0;
export let outWidth: i32 = 0;

/**
 * Output size along one axis; with `ceil`, windows may begin inside and end beyond the padding. With
 * `partly`, a window that is larger than the image by less than a stride fits once: onnxruntime divides
 * towards 0.
 */
function outSize(
  size: i32, kernel: i32, stride: i32, padBegin: i32, padEnd: i32, dilation: i32, ceil: bool, partly: bool,
): i32 {
  const room = <i64>size + padBegin + padEnd - (<i64>(kernel - 1) * dilation + 1);
  if (size < 0) return 0;
  if (room < 0) return partly && size > 0 && -room < stride ? 1 : 0;
  let out = room / stride + 1;
  // A window that begins in the padding at the end is left out.
  if (ceil && room % stride != 0 && out * stride < <i64>size + padBegin) out++;
  return <i32>min<i64>(out, i32.MAX_VALUE);
}

/** Pads before and behind that make as many positions as steps of `stride` begin inside. */
function samePads(size: i32, kernel: i32, stride: i32, dilation: i32): i32 {
  const steps = <i64>max(0, (<i64>size + stride - 1) / stride - 1);
  return <i32>min<i64>(max<i64>(0, steps * stride + <i64>(kernel - 1) * dilation + 1 - size), i32.MAX_VALUE / 4);
}

/** Reads input and window. False, with the failure's text, where image and words do not fit. */
export function readImage(ceil: bool, partly: bool = false): bool {
  if (input(0).dtype != DType.float32) {
    failInput(0, 'float32 [batch, height, width, channels] or [batch, width, channels]');
    return false;
  }
  return readImageOf(ceil, partly);
}

/** {@link readImage} of elements of any type. */
export function readImageOf(ceil: bool, partly: bool = false): bool {
  const x = input(0);
  if (x.rank != 4 && x.rank != 3) {
    failInput(0, '[batch, height, width, channels] or [batch, width, channels]');
    return false;
  }
  batch = x.dim(0);
  height = x.rank == 4 ? x.dim(1) : 1;
  width = x.dim(x.rank - 2);
  channels = x.dim(x.rank - 1);
  kernelH = attr(WindowWords.kernel);
  kernelW = attr(WindowWords.kernel + 1);
  strideH = attr(WindowWords.strides);
  strideW = attr(WindowWords.strides + 1);
  padTop = attr(WindowWords.pads);
  padLeft = attr(WindowWords.pads + 1);
  padBottom = attr(WindowWords.pads + 2);
  padRight = attr(WindowWords.pads + 3);
  dilationH = attr(WindowWords.dilations);
  dilationW = attr(WindowWords.dilations + 1);
  for (let i: u32 = 0; i < WINDOW_WORDS; i++) {
    const least = i >= WindowWords.pads && i < WindowWords.dilations ? 0 : 1;
    const same = least == 0 && (attr(i) == SamePad.upper || attr(i) == SamePad.lower);
    if (!same && (attr(i) < least || attr(i) > 0x10000)) {
      failNode(CanisterError.badShard);
      text('attribute word ');
      number(i);
      text(' is ');
      number(attr(i));
      return false;
    }
  }
  if (padTop > 0x10000 || padBottom > 0x10000) {
    const all = samePads(height, kernelH, strideH, dilationH);
    padTop = padTop == SamePad.lower ? all - all / 2 : all / 2;
    padBottom = all - padTop;
  }
  if (padLeft > 0x10000 || padRight > 0x10000) {
    const all = samePads(width, kernelW, strideW, dilationW);
    padLeft = padLeft == SamePad.lower ? all - all / 2 : all / 2;
    padRight = all - padLeft;
  }
  outHeight = outSize(height, kernelH, strideH, padTop, padBottom, dilationH, ceil, partly);
  outWidth = outSize(width, kernelW, strideW, padLeft, padRight, dilationW, ceil, partly);
  if (outHeight == 0 || outWidth == 0) {
    failInput(0, 'at least as large as the kernel');
    return false;
  }
  if (x.rank == 3 && outHeight != 1) {
    failInput(0, 'an image of two dimensions');
    return false;
  }
  return true;
}

/** Allocates the output that {@link readImage} found the size of. */
export function allocImage(channelsOut: u32, dtype: u32 = DType.float32): bool {
  const out = output(0);
  const rank = input(0).rank;
  out.setDim(0, batch);
  if (rank == 4) out.setDim(1, outHeight);
  out.setDim(rank - 2, outWidth);
  out.setDim(rank - 1, channelsOut);
  return outputAlloc(0, dtype, rank);
}
