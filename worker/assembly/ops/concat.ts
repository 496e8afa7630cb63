import {
  failInputs, failInput, input, nodeInputs, output, outputAlloc, progress, setProgress, setSlot, slot,
} from '../tensor/node';
import { dtypeBytes, Tensor } from '../tensor/tensor';
import { resolveAxis } from './axes';
import { copyRows } from './blocks';
import { concatAxis } from './generated/attributes';
import { DONE, FAILED, YIELD } from './status';

/** The input under way; its rows are the slots of copyRows. */
const SLOT_INPUT: u32 = 2;

/** All inputs, one behind the other along an axis. */
export function concat(): i32 {
  const first = input(0);
  const axis = resolveAxis(concatAxis(), first.rank);
  if (progress == 0 && !begin(first, axis)) return FAILED;
  const out = output(0);
  if (out.byteLength == 0) return DONE;
  const inner = <usize>out.product(axis + 1, out.rank) * dtypeBytes(out.dtype);
  const outer = out.product(0, axis);
  const outBlock = <usize>out.dim(axis) * inner;
  let to = out.data;
  for (let k: u32 = 0; k < nodeInputs; k++) {
    const block = <usize>input(k).dim(axis) * inner;
    if (k >= slot(SLOT_INPUT) && block != 0) {
      if (!copyRows(to, outBlock, input(k).data, block, outer, block)) {
        setSlot(SLOT_INPUT, k);
        return YIELD;
      }
    }
    to += block;
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
  if (total > u64(u32.MAX_VALUE)) {
    failInput(0, 'of sizes along the axis whose sum is below 2^32');
    return false;
  }
  output(0).setDim(axis, <u32>total);
  setProgress(1);
  return outputAlloc(0, first.dtype, first.rank);
}
