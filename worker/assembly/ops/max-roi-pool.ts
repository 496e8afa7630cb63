import { DType } from '../generated/constants';
import { failInput, hasInput, input, output, outputAlloc, progress, setProgress, setSlot, setSlotF, slot, slotF } from '../tensor/node';
import { Tensor } from '../tensor/tensor';
import { yieldsAt } from './blocks';
import { maxRoiPoolHeight, maxRoiPoolScale, maxRoiPoolWidth } from './generated/attributes';
import { DONE, FAILED, YIELD } from './status';

const SLOT_BIN: u32 = 0;
const SLOT_ROW: u32 = 1;
const SLOT_LARGEST: u32 = 2;
/** About what a pixel takes, and a bin. */
const PIXEL: u64 = 37;
const BIN: u64 = 200;
/** Beyond any image. */
const FAR: f32 = 10_000_000;

/** X [n,c,h,w], boxes [r,5] of an image and four places: the largest pixel of each bin: [r,c,oh,ow]. */
export function maxRoiPool(): i32 {
  const x = input(0);
  if (progress == 0 && !begin(x)) return FAILED;
  const out = output(0);
  const channels = x.dim(1);
  const height = maxRoiPoolHeight();
  const width = maxRoiPoolWidth();
  const count = out.count();
  let unchecked: u64 = 0;
  for (let i = slot(SLOT_BIN); i < count; i++) {
    const bin = i % (height * width);
    const channel = i / (height * width) % channels;
    const at = input(1).data + <usize>(i / (height * width) / channels) * 20;
    const image = x.data + ((<usize>load<f32>(at) * channels + channel) * x.dim(2) * x.dim(3) << 2);
    const firstRow = begins(at + 8, bin / width, height, x.dim(2));
    const lastRow = ends(at + 8, bin / width, height, x.dim(2));
    const first = begins(at + 4, bin % width, width, x.dim(3));
    const last = ends(at + 4, bin % width, width, x.dim(3));
    const isEmpty = firstRow >= lastRow || first >= last;
    let row = slot(SLOT_ROW);
    let largest = isEmpty ? <f32>0 : row == 0 ? -f32.MAX_VALUE : slotF(SLOT_LARGEST);
    for (; !isEmpty && firstRow + row < lastRow; ) {
      const line = image + (<usize>(firstRow + row) * x.dim(3) << 2);
      for (let j = first; j < last; j++) largest = max(largest, load<f32>(line + (<usize>j << 2)));
      unchecked += PIXEL * (last - first) + 20;
      row++;
      if (unchecked > 1_000_000 && firstRow + row < lastRow) {
        setSlot(SLOT_BIN, i);
        setSlotF(SLOT_LARGEST, largest);
        if (yieldsAt(SLOT_ROW, row, unchecked)) return YIELD;
        unchecked = 0;
      }
    }
    setSlot(SLOT_ROW, 0);
    store<f32>(out.data + (<usize>i << 2), largest);
    unchecked += BIN;
    if (unchecked > 1_000_000 && i + 1 < count) {
      if (yieldsAt(SLOT_BIN, i + 1, unchecked)) return YIELD;
      unchecked = 0;
    }
  }
  return DONE;
}

function begin(x: Tensor): bool {
  if (x.dtype != DType.float32 || x.rank != 4 || x.dim(2) > 0x100000 || x.dim(3) > 0x100000) {
    failInput(0, 'float32 [images, channels, height, width]');
    return false;
  }
  const boxes = input(1);
  let fits = hasInput(1) && boxes.dtype == DType.float32 && boxes.rank == 2 && boxes.dim(1) == 5;
  for (let i: u32 = 0; fits && i < boxes.dim(0); i++) {
    const image = load<f32>(boxes.data + <usize>i * 20);
    fits = image >= 0 && image < <f32>x.dim(0);
  }
  if (!fits) {
    failInput(1, 'float32 [boxes, 5], the image and four places each');
    return false;
  }
  const out = output(0);
  out.setDim(0, boxes.dim(0));
  out.setDim(1, x.dim(1));
  out.setDim(2, maxRoiPoolHeight());
  out.setDim(3, maxRoiPoolWidth());
  if (!outputAlloc(0, DType.float32, 4)) return false;
  setProgress(1);
  return true;
}

/** A place of a box in pixels, half away from zero; far beyond any image at most. */
@inline
function pixel(at: usize): f32 {
  const place = load<f32>(at) * maxRoiPoolScale();
  const whole: f32 = place < 0 ? -floor(<f32>0.5 - place) : floor(place + <f32>0.5);
  return max<f32>(-FAR, min<f32>(FAR, whole));
}

@inline
function binSize(at: usize, bins: u32): f32 {
  return max<f32>(pixel(at + 8) - pixel(at) + 1, 1) / <f32>bins;
}

/** First pixel of bin `bin` of the box along a dimension, whose place is at `at`; inside the image. */
function begins(at: usize, bin: u32, bins: u32, size: u32): u32 {
  return <u32>max<f32>(0, min<f32>(<f32>size, floor(<f32>bin * binSize(at, bins)) + pixel(at)));
}

/** The pixel behind its last. */
function ends(at: usize, bin: u32, bins: u32, size: u32): u32 {
  return <u32>max<f32>(0, min<f32>(<f32>size, ceil(<f32>(bin + 1) * binSize(at, bins)) + pixel(at)));
}
