import { PadMode } from '../generated/constants';
import { copyBytes } from '../kernels/copy';
import { failInput, hasInput, input, output, outputAlloc, progress, setProgress, slot } from '../tensor/node';
import { dtypeBytes, Tensor } from '../tensor/tensor';
import { indexAt, isIndexes } from './axes';
import { unitsOfBlock, yieldsAt } from './blocks';
import { padMode } from './generated/attributes';
import { DONE, FAILED, YIELD } from './status';

/** Largest pad, and largest size of a dimension. */
const MOST: i64 = 4294967295;

/** Bytes copied or filled between two looks at the budget. */
const PART: usize = 1 << 19;
/** About what a run takes beside its bytes. */
const RUN: u64 = 250;
/** The same for a block of its own. */
const EACH: u64 = 110;

/** X, pads i64 (negative: cut), value?. */
export function pad(): i32 {
  const x = input(0);
  if (progress == 0 && !begin(x)) return FAILED;
  const out = output(0);
  const bytes = out.byteLength;
  const element = dtypeBytes(x.dtype);
  const value = hasInput(2) ? input(2).data : 0;
  // Dimensions after the last padded one make up a block that is copied whole.
  let axis = <i32>x.rank - 1;
  while (axis > 0 && padBefore(axis) == 0 && padAfter(axis, x.rank) == 0) axis--;
  const block = <usize>x.product(axis + 1, x.rank) * element;
  const width: u32 = x.rank == 0 ? 1 : out.dim(axis);
  const size: i64 = x.rank == 0 ? 1 : x.dim(axis);
  const before: i64 = x.rank == 0 ? 0 : padBefore(axis);
  const rowBytes = <usize>width * block;
  let row: u32 = u32.MAX_VALUE;
  let source: usize = 0;
  for (let at = slot(0); at < bytes; ) {
    if (at / <u32>rowBytes != row) {
      row = at / <u32>rowBytes;
      source = sourceRow(x, row, axis, block);
    }
    const within = at - row * <u32>rowBytes;
    const i = <i64>(within / <u32>block);
    const into = within - <u32>i * <u32>block;
    const index = source == 0 ? -1 : sourceIndex(i, before, size);
    // The end of what is of one kind: constant, the input itself, or blocks of it in another order.
    let until = i < before ? min<i64>(before, width) : width;
    if (source == 0) until = width;
    else if (i >= before && i < before + size) until = min<i64>(before + size, width);
    const to = out.data + at;
    if (index >= 0 && index != i - before && block < PART) {
      const count = min(<u32>(until - i), unitsOfBlock(block / 2 + EACH));
      copyEach(to, source, i, count, before, size, block);
      at += count * <u32>block;
      if (at < bytes && yieldsAt(0, at, RUN + count * (block / 2 + EACH))) return YIELD;
      continue;
    }
    if (index >= 0 && index != i - before) until = i + 1;
    const run = min(<usize>(until - i) * block - into, PART);
    if (index < 0) fill(to, run, value, element);
    else copyBytes(to, source + <usize>index * block + into, run);
    at += <u32>run;
    if (at < bytes && yieldsAt(0, at, RUN + (index < 0 ? (8 * run) / element : run / 2))) return YIELD;
  }
  return DONE;
}

/** Blocks [i, i + count) of a row, each from its own place in the source. */
function copyEach(to: usize, source: usize, i: i64, count: u32, before: i64, size: i64, block: usize): void {
  for (; count != 0; count--, i++, to += block) {
    const at = source + <usize>sourceIndex(i, before, size) * block;
    if (block == 4) store<u32>(to, load<u32>(at));
    else copyBytes(to, at, block);
  }
}

@inline
function padBefore(i: u32): i64 {
  return indexAt(input(1), i);
}

@inline
function padAfter(i: u32, rank: u32): i64 {
  return indexAt(input(1), i + rank);
}

function begin(x: Tensor): bool {
  if (!hasInput(1) || !isIndexes(input(1)) || input(1).count() != 2 * x.rank) {
    failInput(1, 'int64, two values for each dimension');
    return false;
  }
  if (hasInput(2) && (input(2).dtype != x.dtype || input(2).count() != 1)) {
    failInput(2, 'a scalar of the type of the tensor');
    return false;
  }
  for (let i: u32 = 0; i < x.rank; i++) {
    const before = padBefore(i);
    const after = padAfter(i, x.rank);
    // Far from the limits of 64 bits, so that sums of them are right.
    const known = isWithin(before, MOST) && isWithin(after, MOST);
    const size = known ? <i64>x.dim(i) + before + after : -1;
    if (size < 0 || size > MOST || !fitsMode(x.dim(i), size, before, after)) {
      failInput(0, 'large enough for the padding, and small enough');
      return false;
    }
    output(0).setDim(i, <u32>size);
  }
  if (!outputAlloc(0, x.dtype, x.rank)) return false;
  setProgress(1);
  return true;
}

@inline
function isWithin(value: i64, most: i64): bool {
  return value >= -most && value <= most;
}

/** Whether a dimension of `own` elements has what its mode asks for to make `size` of them. */
function fitsMode(own: i64, size: i64, before: i64, after: i64): bool {
  if (padMode() == PadMode.constant || (own == 0 && size == 0)) return true;
  // What is left of them where negative pads cut some off.
  const left = own + min<i64>(before, 0) + min<i64>(after, 0);
  return left > 0 && (padMode() != PadMode.reflect || (before < left && after < left));
}

/** Index in a dimension of x for an index of the output; -1 where the constant value goes. */
function sourceIndex(index: i64, before: i64, size: i64): i64 {
  index -= before;
  if (index >= 0 && index < size) return index;
  if (padMode() == PadMode.constant) return -1;
  if (padMode() == PadMode.reflect) return index < 0 ? -index : 2 * (size - 1) - index;
  if (padMode() == PadMode.wrap) return index % size < 0 ? (index % size) + size : index % size;
  return index < 0 ? 0 : size - 1;
}

/** Address in x of the row along `axis` that output row `row` comes from; 0 where there is none. */
function sourceRow(x: Tensor, row: u32, axis: i32, block: usize): usize {
  let offset: usize = 0;
  let stride: usize = x.rank == 0 ? block : <usize>x.dim(axis) * block;
  for (let i = axis - 1; i >= 0; i--) {
    const n = output(0).dim(i);
    const index = sourceIndex(row % n, padBefore(i), x.dim(i));
    if (index < 0) return 0;
    offset += <usize>index * stride;
    stride *= x.dim(i);
    row /= n;
  }
  return x.data + offset;
}

/** Fills with the element at `value`, or zeros where that is 0. */
function fill(to: usize, bytes: usize, value: usize, elementBytes: usize): void {
  if (elementBytes == 4) fillOf<u32>(to, bytes, value);
  else if (elementBytes == 8) fillOf<u64>(to, bytes, value);
  else if (elementBytes == 2) fillOf<u16>(to, bytes, value);
  else fillOf<u8>(to, bytes, value);
}

@inline
function fillOf<T>(to: usize, bytes: usize, value: usize): void {
  const element = value == 0 ? <T>0 : load<T>(value);
  for (const end = to + bytes; to < end; to += sizeof<T>()) store<T>(to, element);
}
