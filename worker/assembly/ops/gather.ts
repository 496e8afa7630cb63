import { DType } from '../generated/constants';
import { copyBytes } from '../kernels/copy';
import { failInput, input, output, outputAlloc, progress, setProgress, setSlot, slot } from '../tensor/node';
import { dtypeBytes, MAX_RANK, Tensor } from '../tensor/tensor';
import { failIndex, indexAt, resolveAxis } from './axes';
import { copyRows, unitsOfBlock, yieldsAt } from './blocks';
import { gatherAxis } from './generated/attributes';
import { DONE, FAILED, YIELD } from './status';

const SLOT_OUTER: u32 = 2;
const SLOT_INDEX: u32 = 3;
/** About what the check of an index takes, and a copy but for its bytes. */
const CHECK: u64 = 40;
const COPY: u64 = 150;
/** Bytes above which one block is copied in parts. */
const LARGE: usize = 1 << 20;

/** X, indices. */
export function gather(): i32 {
  const x = input(0);
  const indices = input(1);
  const axis = resolveAxis(gatherAxis(), x.rank);
  if (progress == 0) {
    const status = check(x, indices, axis);
    if (status != DONE) return status;
    if (!begin(x, indices, axis)) return FAILED;
  }
  if (output(0).byteLength == 0) return DONE;
  const size = <i64>x.dim(axis);
  const count = indices.count();
  const outer = x.product(0, axis);
  const block = <usize>x.product(axis + 1, x.rank) * dtypeBytes(x.dtype);
  const some = block > LARGE ? 1 : unitsOfBlock(block + COPY);
  let i = slot(SLOT_INDEX);
  for (let o = slot(SLOT_OUTER); o < outer; o++, i = 0) {
    const from = x.data + <usize>o * <usize>size * block;
    while (i < count) {
      const to = output(0).data + (<usize>o * count + i) * block;
      const n = min(some, count - i);
      if (block <= LARGE) copyBlocks(to, from, indices, i, n, size, block);
      else if (!copyRows(to, 0, from + offsetOf(indices, i, size, block), 0, 1, block)) {
        setSlot(SLOT_OUTER, o);
        setSlot(SLOT_INDEX, i);
        return YIELD;
      }
      i += n;
      const last = o + 1 == outer && i == count;
      if (!last && yieldsAt(SLOT_INDEX, i, block <= LARGE ? (block + COPY) * n : COPY)) {
        setSlot(SLOT_OUTER, o);
        return YIELD;
      }
    }
  }
  return DONE;
}

@inline
function offsetOf(indices: Tensor, i: u32, size: i64, block: usize): usize {
  const index = indexAt(indices, i);
  return <usize>(index < 0 ? index + size : index) * block;
}

/** The blocks that indices [first, first + n) name, one after another. */
function copyBlocks(to: usize, from: usize, indices: Tensor, first: u32, n: u32, size: i64, block: usize): void {
  for (let i = first; i < first + n; i++, to += block) {
    const at = from + offsetOf(indices, i, size, block);
    if (block == 4) store<u32>(to, load<u32>(at));
    else if (block == 8) store<u64>(to, load<u64>(at));
    else copyBytes(to, at, block);
  }
}

/** Checks shapes and indices; may yield. */
function check(x: Tensor, indices: Tensor, axis: i32): i32 {
  if (axis < 0 || x.rank + indices.rank - 1 > MAX_RANK) {
    failInput(0, 'of a shape that has the axis of the node, with at most 8 dimensions in the end');
    return FAILED;
  }
  if (indices.dtype != DType.int64 && indices.dtype != DType.int32) {
    failInput(1, 'int64 or int32');
    return FAILED;
  }
  const size = <i64>x.dim(axis);
  const count = indices.count();
  for (let i = slot(SLOT_INDEX); i < count; ) {
    const end = i + min(count - i, unitsOfBlock(CHECK));
    for (let k = i; k < end; k++) {
      const index = indexAt(indices, k);
      if (index < -size || index >= size) {
        failIndex(index, size);
        return FAILED;
      }
    }
    const units = end - i;
    i = end;
    if (i < count && yieldsAt(SLOT_INDEX, i, CHECK * units)) return YIELD;
  }
  setSlot(SLOT_INDEX, 0);
  return DONE;
}

function begin(x: Tensor, indices: Tensor, axis: i32): bool {
  const out = output(0);
  let rank: u32 = 0;
  for (let i: u32 = 0; i < <u32>axis; i++) out.setDim(rank++, x.dim(i));
  for (let i: u32 = 0; i < indices.rank; i++) out.setDim(rank++, indices.dim(i));
  for (let i: u32 = axis + 1; i < x.rank; i++) out.setDim(rank++, x.dim(i));
  setProgress(1);
  return outputAlloc(0, x.dtype, rank);
}
