import { DType } from '../generated/constants';
import { failInput, hasInput, input, output, outputAlloc, progress, setProgress, slot } from '../tensor/node';
import { Tensor } from '../tensor/tensor';
import { indexAt, isIndexes } from './axes';
import { yieldsAt } from './blocks';
import {
  roiAlignHalfPixel, roiAlignHeight, roiAlignLargest, roiAlignSamples, roiAlignScale, roiAlignWidth,
} from './generated/attributes';
import { DONE, FAILED, YIELD } from './status';

/** Samples that a bin may have. */
const MOST: f32 = 131072;
/** About what a sample takes, and a bin. */
const SAMPLE: u64 = 440;
const BIN: u64 = 300;

/** Where a box begins, and the size of its bins; samples of a bin along each dimension. */
let top: f32 = 0;
let left: f32 = 0;
let binHeight: f32 = 0;
let binWidth: f32 = 0;
let down: u32 = 0;
let across: u32 = 0;

/** X [n,c,h,w], boxes [r,4], the image of each: samples of each bin, their mean or the largest: [r,c,oh,ow]. */
export function roiAlign(): i32 {
  const x = input(0);
  if (progress == 0 && !begin(x)) return FAILED;
  const out = output(0);
  const height = roiAlignHeight();
  const width = roiAlignWidth();
  const channels = x.dim(1);
  const plane = <usize>x.dim(2) * x.dim(3) << 2;
  const count = out.count();
  let unchecked: u64 = 0;
  let box: u32 = u32.MAX_VALUE;
  for (let i = slot(0); i < count; ) {
    const bin = i % (height * width);
    const channel = i / (height * width) % channels;
    const own = i / (height * width) / channels;
    if (own != box) {
      box = own;
      if (!readBox(box, height, width)) return FAILED;
    }
    const image = x.data + (<usize>indexAt(input(2), box) * channels + channel) * plane;
    store<f32>(out.data + (<usize>i << 2), pool(image, x.dim(2), x.dim(3), bin / width, bin % width));
    unchecked += BIN + SAMPLE * down * across;
    i++;
    if (unchecked > 1_000_000 && i < count) {
      if (yieldsAt(0, i, unchecked)) return YIELD;
      unchecked = 0;
    }
  }
  return DONE;
}

function begin(x: Tensor): bool {
  if (x.dtype != DType.float32 || x.rank != 4 || x.dim(2) == 0 || x.dim(3) == 0) {
    failInput(0, 'float32 [images, channels, height, width] of at least one pixel');
    return false;
  }
  const boxes = input(1);
  if (!hasInput(1) || boxes.dtype != DType.float32 || boxes.rank != 2 || boxes.dim(1) != 4) {
    failInput(1, 'float32 [boxes, 4]');
    return false;
  }
  const images = input(2);
  let fits = hasInput(2) && isIndexes(images) && images.rank == 1 && images.dim(0) == boxes.dim(0);
  for (let i: u32 = 0; fits && i < boxes.dim(0); i++) {
    const image = indexAt(images, i);
    fits = image >= 0 && image < <i64>x.dim(0);
  }
  if (!fits) {
    failInput(2, 'int64, the image of each box');
    return false;
  }
  const out = output(0);
  out.setDim(0, boxes.dim(0));
  out.setDim(1, x.dim(1));
  out.setDim(2, roiAlignHeight());
  out.setDim(3, roiAlignWidth());
  if (!outputAlloc(0, DType.float32, 4)) return false;
  setProgress(1);
  return true;
}

/** Reads a box. False, with the failure's text, where its bins have too many samples. */
function readBox(box: u32, height: u32, width: u32): bool {
  const at = input(1).data + (<usize>box << 4);
  const scale = roiAlignScale();
  const half = roiAlignHalfPixel();
  const offset: f32 = half ? 0.5 : 0;
  left = load<f32>(at) * scale - offset;
  top = load<f32>(at, 4) * scale - offset;
  let boxWidth = load<f32>(at, 8) * scale - offset - left;
  let boxHeight = load<f32>(at, 12) * scale - offset - top;
  if (!half) {
    boxWidth = max<f32>(boxWidth, 1);
    boxHeight = max<f32>(boxHeight, 1);
  }
  binHeight = boxHeight / <f32>height;
  binWidth = boxWidth / <f32>width;
  const samples = <f32>roiAlignSamples();
  const rows = samples > 0 ? samples : ceil(binHeight);
  const columns = samples > 0 ? samples : ceil(binWidth);
  if (!(rows <= MOST && columns <= MOST && max<f32>(rows, 1) * max<f32>(columns, 1) <= MOST)) {
    failInput(1, 'boxes whose bins have at most 131072 samples');
    return false;
  }
  down = rows > 0 ? <u32>rows : 0;
  across = columns > 0 ? <u32>columns : 0;
  return true;
}

/** The mean of a bin's samples, or the largest. */
function pool(image: usize, height: u32, width: u32, row: u32, column: u32): f32 {
  const isLargest = roiAlignLargest();
  let sum: f32 = 0;
  let largest: f32 = 0;
  for (let i: u32 = 0; i < down; i++) {
    const y = top + <f32>row * binHeight + (<f32>i + 0.5) * binHeight / <f32>down;
    for (let j: u32 = 0; j < across; j++) {
      const x = left + <f32>column * binWidth + (<f32>j + 0.5) * binWidth / <f32>across;
      sample(image, height, width, y, x);
      if (isLargest) {
        const own = max(max(w00, w01), max(w10, w11));
        largest = i + j == 0 ? own : max(largest, own);
      } else sum += w00 + w01 + w10 + w11;
    }
  }
  return isLargest ? largest : sum / <f32>max<u32>(1, down * across);
}

/** The four pixels around a place, each with its weight. */
let w00: f32 = 0;
let w01: f32 = 0;
let w10: f32 = 0;
let w11: f32 = 0;

function sample(image: usize, height: u32, width: u32, y: f32, x: f32): void {
  w00 = w01 = w10 = w11 = 0;
  if (!(y >= -1 && y <= <f32>height && x >= -1 && x <= <f32>width)) return;
  y = max<f32>(y, 0);
  x = max<f32>(x, 0);
  const y0 = min(<u32>y, height - 1);
  const x0 = min(<u32>x, width - 1);
  const y1 = min(y0 + 1, height - 1);
  const x1 = min(x0 + 1, width - 1);
  const ly = y0 == height - 1 ? <f32>0 : y - <f32>y0;
  const lx = x0 == width - 1 ? <f32>0 : x - <f32>x0;
  const upper = image + (<usize>y0 * width << 2);
  const lower = image + (<usize>y1 * width << 2);
  w00 = (1 - ly) * (1 - lx) * load<f32>(upper + (<usize>x0 << 2));
  w01 = (1 - ly) * lx * load<f32>(upper + (<usize>x1 << 2));
  w10 = ly * (1 - lx) * load<f32>(lower + (<usize>x0 << 2));
  w11 = ly * lx * load<f32>(lower + (<usize>x1 << 2));
}
