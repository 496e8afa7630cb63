import { CanisterError, maxSpatialRank, SamePad } from '../generated/constants';
import { text } from '../tensor/errors';
import { attr, attrCount, failNode } from '../tensor/node';

/** Geometry of a window over the dimensions behind batch and channels: a word of each kind a dimension. */
const WORDS: u32 = 7 * maxSpatialRank;
const words: usize = memory.data(168);
const KERNEL: u32 = 0;
const STRIDE: u32 = 1;
const PAD: u32 = 2;
const PAD_BEHIND: u32 = 3;
const DILATION: u32 = 4;
const SIZE: u32 = 5;
const POSITIONS: u32 = 6;
/** Most of what a kernel, stride, dilation or pad can be. */
const MOST: i32 = 0x10000;

export let spatialRank: u32 = 0;
/** Products over all dimensions, and over all but the last. */
export let kernelCount: u32 = 0;
export let positionCount: u32 = 0;
export let imageCount: u32 = 0;
export let lineCount: u32 = 0;

@inline
function word(kind: u32, axis: u32): i32 {
  return load<i32>(words + (<usize>(kind * maxSpatialRank + axis) << 2));
}

@inline
function setWord(kind: u32, axis: u32, value: i32): void {
  store<i32>(words + (<usize>(kind * maxSpatialRank + axis) << 2), value);
}

export function kernelOf(axis: u32): i32 {
  return word(KERNEL, axis);
}
export function strideOf(axis: u32): i32 {
  return word(STRIDE, axis);
}
export function padOf(axis: u32): i32 {
  return word(PAD, axis);
}
export function dilationOf(axis: u32): i32 {
  return word(DILATION, axis);
}
export function sizeOf(axis: u32): i32 {
  return word(SIZE, axis);
}
export function positionsOf(axis: u32): i32 {
  return word(POSITIONS, axis);
}

/**
 * Reads a window from the list of words whose length is word `at`. False, with the failure's text, where it
 * is none over `rank` dimensions.
 */
export function readSpatial(at: u32, rank: u32): bool {
  memory.fill(words, 0, WORDS << 2);
  const isList = rank > 0 && rank <= maxSpatialRank && attrCount > at && <u32>attr(at) == 5 * rank;
  let fits = isList && attrCount == at + 1 + 5 * rank;
  spatialRank = rank;
  for (let i: u32 = 0; fits && i < 5 * rank; i++) {
    const kind = i / rank;
    const value = attr(at + 1 + i);
    const isPad = kind == PAD || kind == PAD_BEHIND;
    const same = isPad && (value == SamePad.upper || value == SamePad.lower);
    const fewest = isPad ? 0 : 1;
    if (!same && (value > MOST || value < fewest)) fits = false;
    setWord(kind, i - kind * rank, value);
  }
  if (fits) return true;
  failNode(CanisterError.badShard);
  text('a window over the dimensions behind batch and channels expected');
  return false;
}

/** Puts another kernel size in the place of the window's. False where it can be none. */
export function setKernel(axis: u32, size: i64): bool {
  if (size < 1 || size > MOST) return false;
  setWord(KERNEL, axis, <i32>size);
  return true;
}

/** Size of the image along an axis; pads that depend on it are found. */
export function setSize(axis: u32, size: u32): void {
  setWord(SIZE, axis, size);
  if (word(PAD, axis) <= MOST && word(PAD_BEHIND, axis) <= MOST) return;
  const stride = <i64>strideOf(axis);
  const steps = max<i64>(0, (<i64>size + stride - 1) / stride - 1);
  const all = max<i64>(0, steps * stride + fieldOf(axis) - size);
  const before = word(PAD, axis) == SamePad.lower ? all - all / 2 : all / 2;
  setWord(PAD, axis, <i32>before);
  setWord(PAD_BEHIND, axis, <i32>(all - before));
}

@inline
function fieldOf(axis: u32): i64 {
  return <i64>(kernelOf(axis) - 1) * dilationOf(axis) + 1;
}

/**
 * Positions of the window along an axis whose size is set; with `ceil`, it may end beyond the padding. With
 * `partly`, a window that is larger than the image by less than a stride fits once.
 */
export function fittingPositions(axis: u32, ceil: bool = false, partly: bool = false): u32 {
  const size = <u32>sizeOf(axis);
  const stride = <i64>strideOf(axis);
  const room = <i64>size + padOf(axis) + word(PAD_BEHIND, axis) - fieldOf(axis);
  if (room < 0) return partly && size > 0 && -room < stride ? 1 : 0;
  let count = room / stride + 1;
  // A window that begins in the padding at the end is left out.
  if (ceil && room % stride != 0 && count * stride < <i64>size + padOf(axis)) count++;
  return <u32>min<i64>(count, i32.MAX_VALUE);
}

/** Taps of the window at a position that lie inside the image, or inside it and its padding. */
export function tapsInside(axis: u32, position: u32, withPads: bool): u32 {
  const at = <i64>position * strideOf(axis) - padOf(axis);
  const step = <i64>dilationOf(axis);
  const first = withPads || at >= 0 ? 0 : (step - 1 - at) / step;
  const end = <i64>sizeOf(axis) + (withPads ? word(PAD_BEHIND, axis) : 0);
  const beyond = at >= end ? 0 : min<i64>(kernelOf(axis), (end - 1 - at) / step + 1);
  return <u32>max<i64>(0, beyond - first);
}

export function setPositions(axis: u32, count: u32): void {
  setWord(POSITIONS, axis, count);
}

/** Counts over all dimensions, once sizes and positions are set. False where they are too many. */
export function countSpatial(): bool {
  let kernels: u64 = 1;
  let positions: u64 = 1;
  let sizes: u64 = 1;
  const most: u64 = 1 << 31;
  for (let i: u32 = 0; i < spatialRank; i++) {
    kernels = min(most, kernels * kernelOf(i));
    positions = min(most, positions * positionsOf(i));
    sizes = min(most, sizes * <u32>sizeOf(i));
  }
  kernelCount = <u32>kernels;
  positionCount = <u32>positions;
  imageCount = <u32>sizes;
  const last = <u32>positionsOf(spatialRank - 1);
  lineCount = last == 0 ? 0 : positionCount / last;
  return kernels < most && positions < most && sizes < most;
}

/**
 * Where the image's line begins that tap `tap` of the windows of line `line` meets: its first element's
 * index in the image; -1 where it lies in the padding.
 */
export function imageLine(tap: u32, line: u32): i32 {
  const last = spatialRank - 1;
  let step = sizeOf(last);
  let at = 0;
  tap /= kernelOf(last);
  for (let i = <i32>last - 1; i >= 0; i--) {
    const position = line % positionsOf(i);
    line /= positionsOf(i);
    const k = tap % kernelOf(i);
    tap /= kernelOf(i);
    const index = <i64>position * strideOf(i) + <i64>k * dilationOf(i) - padOf(i);
    if (index < 0 || index >= sizeOf(i)) return -1;
    at += <i32>index * step;
    step *= sizeOf(i);
  }
  return at;
}

/** First position along the last axis whose tap `k` lies at 0 or behind; at most all positions. */
export function firstInside(k: i32): i32 {
  const last = spatialRank - 1;
  const offset = <i64>padOf(last) - <i64>k * dilationOf(last);
  if (offset <= 0) return 0;
  return <i32>min<i64>((offset + strideOf(last) - 1) / strideOf(last), positionsOf(last));
}

/** First position along the last axis whose tap `k` lies beyond the image; at most all positions. */
export function firstBeyond(k: i32): i32 {
  const last = spatialRank - 1;
  const reach = <i64>sizeOf(last) - 1 + padOf(last) - <i64>k * dilationOf(last);
  return reach < 0 ? 0 : <i32>min<i64>(reach / strideOf(last) + 1, positionsOf(last));
}
