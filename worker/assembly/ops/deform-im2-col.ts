import { DType } from '../generated/constants';
import { failInput, hasInput, input, output, outputAlloc, progress, setProgress, setSlot, slot } from '../tensor/node';
import { Tensor } from '../tensor/tensor';
import { yieldsAt } from './blocks';
import { deformIm2ColGroup, deformIm2ColOffsetGroups } from './generated/attributes';
import {
  countSpatial, dilationOf, fittingPositions, kernelCount, kernelOf, padOf, positionCount, positionsOf, readSpatial,
  setPositions, setSize, strideOf,
} from './spatial';
import { DONE, FAILED, YIELD } from './status';

const SLOT_PLACE: u32 = 0;
const SLOT_CHANNEL: u32 = 1;
/** Word at which the window begins. */
const WINDOW: u32 = 2;
/** About what an element takes, and a place; channels between two looks at the budget. */
const COST: u64 = 80;
const PLACE: u64 = 900;
const PART: u32 = 1 << 14;

/** Columns of a convolution whose taps lie where offsets say: see the description. */
export function deformIm2Col(): i32 {
  const x = input(0);
  if (x.dtype != DType.float32 || x.rank != 4 || x.dim(2) > 0x1000000 || x.dim(3) > 0x1000000) {
    failInput(0, 'float32 [batch, channels, height, width]');
    return FAILED;
  }
  if (!readSpatial(WINDOW, 2)) return FAILED;
  for (let i: u32 = 0; i < 2; i++) {
    setSize(i, x.dim(i + 2));
    setPositions(i, fittingPositions(i));
  }
  if (!countSpatial() || positionCount == 0) {
    failInput(0, 'at least as large as the kernel, and small enough');
    return FAILED;
  }
  if (progress == 0 && !begin(x)) return FAILED;
  if (output(0).byteLength == 0) return DONE;
  const groups = deformIm2ColOffsetGroups();
  const channels = x.dim(1) / groups;
  const plane = x.dim(2) * x.dim(3);
  const places = x.dim(0) * groups * kernelCount * positionCount;
  const step = <usize>kernelCount * positionCount << 2;
  let unchecked: u64 = 0;
  let channel = slot(SLOT_CHANNEL);
  for (let i = slot(SLOT_PLACE); i < places; i++) {
    const position = i % positionCount;
    const tap = i / positionCount % kernelCount;
    const group = i / positionCount / kernelCount;
    locate(x.dim(2), x.dim(3), position, tap, group);
    const image = x.data + (<usize>group * channels * plane << 2);
    const to = output(0).data + <usize>group * channels * step + (<usize>tap * positionCount + position << 2);
    while (channel < channels) {
      const end = channel + min(PART, channels - channel);
      for (let c = channel; c < end; c++) store<f32>(to + <usize>c * step, sample(image + (<usize>c * plane << 2)));
      unchecked += COST * (end - channel);
      channel = end;
      if (unchecked > 1_000_000 && channel < channels) {
        setSlot(SLOT_PLACE, i);
        if (yieldsAt(SLOT_CHANNEL, channel, unchecked)) return YIELD;
        unchecked = 0;
      }
    }
    channel = 0;
    setSlot(SLOT_CHANNEL, 0);
    unchecked += PLACE;
    if (unchecked > 1_000_000 && i + 1 < places) {
      if (yieldsAt(SLOT_PLACE, i + 1, unchecked)) return YIELD;
      unchecked = 0;
    }
  }
  return DONE;
}

function begin(x: Tensor): bool {
  const group = deformIm2ColGroup();
  const groups = deformIm2ColOffsetGroups();
  const channels = x.dim(1);
  if (group == 0 || groups == 0 || channels == 0 || channels % group != 0 || channels % groups != 0) {
    failInput(0, 'of channels that are a multiple of the groups');
    return false;
  }
  const each = <u64>groups * kernelCount;
  if (!isOffsets(1, x.dim(0), each * 2) || !isOffsets(2, x.dim(0), each)) return false;
  const out = output(0);
  out.setDim(0, x.dim(0));
  out.setDim(1, group);
  // Too many for memory where they are too many for a dimension.
  out.setDim(2, <u32>min<u64>(<u64>(channels / group) * kernelCount, u32.MAX_VALUE));
  out.setDim(3, positionCount);
  if (!outputAlloc(0, DType.float32, 4)) return false;
  setProgress(1);
  return true;
}

/** Whether input `i` has so many numbers for each position; factors may be left out. */
function isOffsets(i: u32, batch: u32, count: u64): bool {
  if (i == 2 && !hasInput(2)) return true;
  const t = input(i);
  const fits = hasInput(i) && t.dtype == DType.float32 && t.rank == 4 && t.dim(0) == batch && <u64>t.dim(1) == count;
  if (fits && t.dim(2) == <u32>positionsOf(0) && t.dim(3) == <u32>positionsOf(1)) return true;
  failInput(i, 'float32 [batch, numbers of all taps, positions of the window]');
  return false;
}

/** The four pixels around a place, as indexes in an image, with their weights; 0 of those outside it. */
const indexes: usize = memory.data(16);
const weights: usize = memory.data(16);

function locate(height: u32, width: u32, position: u32, tap: u32, group: u32): void {
  const at = <usize>(group * kernelCount + tap);
  const offsets = input(1).data + ((at * 2 * positionCount + position) << 2);
  const row = <i32>(position / positionsOf(1)) * strideOf(0) - padOf(0) + <i32>(tap / kernelOf(1)) * dilationOf(0);
  const column = <i32>(position % positionsOf(1)) * strideOf(1) - padOf(1) + <i32>(tap % kernelOf(1)) * dilationOf(1);
  const y = <f32>row + load<f32>(offsets);
  const x = <f32>column + load<f32>(offsets + (<usize>positionCount << 2));
  const factor: f32 = hasInput(2) ? load<f32>(input(2).data + ((at * positionCount + position) << 2)) : 1;
  const inside = y > -1 && y < <f32>height && x > -1 && x < <f32>width;
  const y0: f32 = inside ? floor(y) : 0;
  const x0: f32 = inside ? floor(x) : 0;
  const ly = y - y0;
  const lx = x - x0;
  for (let i: u32 = 0; i < 4; i++) {
    const r = <i32>y0 + <i32>(i >>> 1);
    const c = <i32>x0 + <i32>(i & 1);
    const there = inside && r >= 0 && r < <i32>height && c >= 0 && c < <i32>width;
    const down: f32 = (i >>> 1) == 0 ? <f32>1 - ly : ly;
    const across: f32 = (i & 1) == 0 ? <f32>1 - lx : lx;
    store<u32>(indexes + (<usize>i << 2), there ? r * width + c : 0);
    store<f32>(weights + (<usize>i << 2), there ? down * across * factor : <f32>0);
  }
}

@inline
function tapped(image: usize, i: usize): f32 {
  const weight = load<f32>(weights + i);
  return weight == 0 ? 0 : weight * load<f32>(image + (<usize>load<u32>(indexes + i) << 2));
}

function sample(image: usize): f32 {
  return tapped(image, 0) + tapped(image, 4) + tapped(image, 8) + tapped(image, 12);
}
