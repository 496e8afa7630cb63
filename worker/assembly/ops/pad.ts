import { copyBytes } from '../kernels/copy';
import { spent } from '../tensor/budget';
import { attr, failInput, hasInput, input, output, outputAlloc, progress, setProgress, setSlot, slot } from '../tensor/node';
import { dtypeBytes, Tensor } from '../tensor/tensor';
import { indexAt, isIndexes } from './axes';
import { DONE, FAILED, YIELD } from './status';

const CONSTANT = 0;
const REFLECT = 1;

/** X, pads i64 (negative: cut), value?. Words: mode (0 constant, 1 reflect, 2 edge). */
export function pad(): i32 {
  const x = input(0);
  if (progress == 0 && !begin(x)) return FAILED;
  const out = output(0);
  if (out.byteLength == 0) return DONE;
  // Dimensions after the last padded one make up a block that is copied whole.
  let axis = <i32>x.rank - 1;
  while (axis > 0 && padBefore(axis) == 0 && padAfter(axis, x.rank) == 0) axis--;
  const block = <usize>x.product(axis + 1, x.rank) * dtypeBytes(x.dtype);
  const width = x.rank == 0 ? 1 : out.dim(axis);
  const rows = out.product(0, max(axis, 0));
  const value = hasInput(2) ? input(2).data : 0;
  const rowBytes = <usize>width * block;
  for (let row = slot(0); row < rows; row++) {
    const to = out.data + <usize>row * rowBytes;
    const from = sourceRow(x, row, axis, block);
    if (from == 0) fill(to, rowBytes, value, dtypeBytes(x.dtype));
    else padRow(to, from, x, axis, width, block, value);
    if (row + 1 < rows && spent(rowBytes + width * 20 + 100)) {
      setSlot(0, row + 1);
      return YIELD;
    }
  }
  return DONE;
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
    const size = <i64>x.dim(i) + padBefore(i) + padAfter(i, x.rank);
    const most: i64 = attr(0) == REFLECT ? <i64>x.dim(i) - 1 : i64(u32.MAX_VALUE);
    const copies = attr(0) == CONSTANT || x.dim(i) > 0 || size == 0;
    if (size < 0 || size > i64(u32.MAX_VALUE) || padBefore(i) > most || padAfter(i, x.rank) > most || !copies) {
      failInput(0, 'large enough for the padding');
      return false;
    }
    output(0).setDim(i, <u32>size);
  }
  setProgress(1);
  return outputAlloc(0, x.dtype, x.rank);
}

/** Index in a dimension of x for an index of the output; -1 where the constant value goes. */
function sourceIndex(index: i64, before: i64, size: i64): i64 {
  index -= before;
  if (index >= 0 && index < size) return index;
  if (attr(0) == CONSTANT) return -1;
  if (attr(0) == REFLECT) return index < 0 ? -index : 2 * (size - 1) - index;
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

function padRow(to: usize, from: usize, x: Tensor, axis: i32, width: u32, block: usize, value: usize): void {
  if (x.rank == 0) {
    copyBytes(to, from, block);
    return;
  }
  const size = <i64>x.dim(axis);
  const before = padBefore(axis);
  let i: i64 = 0;
  while (i < <i64>width) {
    const at = to + <usize>i * block;
    const index = sourceIndex(i, before, size);
    if (index >= 0 && index == i - before) {
      const count = min(size - index, <i64>width - i);
      copyBytes(at, from + <usize>index * block, <usize>count * block);
      i += count;
      continue;
    }
    if (index < 0) fill(at, block, value, dtypeBytes(x.dtype));
    else copyBytes(at, from + <usize>index * block, block);
    i++;
  }
}

/** Fills with the element at `value`, or zeros where that is 0. */
function fill(to: usize, bytes: usize, value: usize, elementBytes: usize): void {
  for (let i: usize = 0; i < bytes; i += elementBytes) {
    if (elementBytes == 4) store<u32>(to + i, value == 0 ? 0 : load<u32>(value));
    else if (value != 0) copyBytes(to + i, value, elementBytes);
    else for (let j: usize = 0; j < elementBytes; j++) store<u8>(to + i + j, 0);
  }
}
