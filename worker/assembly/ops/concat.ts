import { copyBytes } from '../kernels/copy';
import { spent } from '../tensor/budget';
import {
  attr, failInputs, failInput, input, nodeInputs, output, outputAlloc, progress, setProgress, setSlot, slot,
} from '../tensor/node';
import { dtypeBytes, Tensor } from '../tensor/tensor';
import { resolveAxis } from './axes';
import { DONE, FAILED, YIELD } from './status';

/** Words: axis. */
export function concat(): i32 {
  const first = input(0);
  const axis = resolveAxis(attr(0), first.rank);
  if (progress == 0 && !begin(first, axis)) return FAILED;
  const out = output(0);
  if (out.byteLength == 0) return DONE;
  const inner = <usize>out.product(axis + 1, out.rank) * dtypeBytes(out.dtype);
  const outer = out.product(0, axis);
  const outBlock = <usize>out.dim(axis) * inner;
  let to = out.data + <usize>slot(1) * inner;
  for (let k = slot(0); k < nodeInputs; k++) {
    const block = <usize>input(k).dim(axis) * inner;
    let from = input(k).data;
    let at = to;
    if (block != 0) {
      for (let o: u32 = 0; o < outer; o++, from += block, at += outBlock) copyBytes(at, from, block);
    }
    to += block;
    if (k + 1 < nodeInputs && spent(<u64>outer * (block / 2 + 30))) {
      setSlot(0, k + 1);
      setSlot(1, <u32>((to - out.data) / inner));
      return YIELD;
    }
  }
  return DONE;
}

function begin(first: Tensor, axis: i32): bool {
  if (axis < 0) {
    failInput(0, 'of a shape that has the axis of the node');
    return false;
  }
  output(0).shapeLike(first);
  let total: u64 = 0;
  for (let k: u32 = 0; k < nodeInputs; k++) {
    const x = input(k);
    let fits = x.dtype == first.dtype && x.rank == first.rank;
    for (let i: u32 = 0; fits && i < first.rank; i++) fits = i == <u32>axis || x.dim(i) == first.dim(i);
    if (!fits) {
      failInputs(0, k, 'type and shape must be equal but for the axis');
      return false;
    }
    total += x.dim(axis);
  }
  if (total > u32.MAX_VALUE) {
    failInput(0, 'so that all together have less than 2^32 along the axis');
    return false;
  }
  output(0).setDim(axis, <u32>total);
  setProgress(1);
  return outputAlloc(0, first.dtype, first.rank);
}
