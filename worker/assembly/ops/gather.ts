import { CanisterError, DType } from '../generated/constants';
import { copyBytes } from '../kernels/copy';
import { spent } from '../tensor/budget';
import { name, number, text } from '../tensor/errors';
import {
  attr, failInput, failNode, input, output, outputAlloc, progress, setProgress, setSlot, slot,
} from '../tensor/node';
import { dtypeBytes, MAX_RANK, Tensor } from '../tensor/tensor';
import { indexAt, resolveAxis } from './axes';
import { DONE, FAILED, YIELD } from './status';

/** X, indices. Words: axis. */
export function gather(): i32 {
  const x = input(0);
  const indices = input(1);
  const axis = resolveAxis(attr(0), x.rank);
  if (progress == 0 && !begin(x, indices, axis)) return FAILED;
  const size = <i64>x.dim(axis);
  const count = indices.count();
  const outer = x.product(0, axis);
  const block = <usize>x.product(axis + 1, x.rank) * dtypeBytes(x.dtype);
  let to = output(0).data + <usize>slot(0) * count * block;
  for (let o = slot(0); o < outer; o++) {
    const from = x.data + <usize>o * <usize>size * block;
    for (let i: u32 = 0; i < count; i++, to += block) {
      const index = indexAt(indices, i);
      const at = from + <usize>(index < 0 ? index + size : index) * block;
      if (block == 4) store<u32>(to, load<u32>(at));
      else if (block == 8) store<u64>(to, load<u64>(at));
      else copyBytes(to, at, block);
    }
    if (o + 1 < outer && spent(<u64>count * (block / 2 + 50))) {
      setSlot(0, o + 1);
      return YIELD;
    }
  }
  return DONE;
}

function begin(x: Tensor, indices: Tensor, axis: i32): bool {
  if (axis < 0 || x.rank + indices.rank - 1 > MAX_RANK) {
    failInput(0, 'of a shape that has the axis of the node');
    return false;
  }
  if (indices.dtype != DType.int64 && indices.dtype != DType.int32) {
    failInput(1, 'int64 or int32');
    return false;
  }
  const size = <i64>x.dim(axis);
  for (let i: u32 = 0; i < indices.count(); i++) {
    const index = indexAt(indices, i);
    if (index < -size || index >= size) {
      failNode(CanisterError.badInput);
      text('index ');
      number(index);
      text(' of ');
      name(indices.name);
      text(' must be below ');
      number(size);
      return false;
    }
  }
  const out = output(0);
  let rank: u32 = 0;
  for (let i: u32 = 0; i < <u32>axis; i++) out.setDim(rank++, x.dim(i));
  for (let i: u32 = 0; i < indices.rank; i++) out.setDim(rank++, indices.dim(i));
  for (let i: u32 = axis + 1; i < x.rank; i++) out.setDim(rank++, x.dim(i));
  setProgress(1);
  return outputAlloc(0, x.dtype, rank);
}
