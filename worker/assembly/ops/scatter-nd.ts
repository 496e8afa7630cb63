import { ScatterReduction } from '../generated/constants';
import { copyBytes } from '../kernels/copy';
import { mergeElements } from '../kernels/scatter';
import { failInput, input, output, progress, setSlot, slot } from '../tensor/node';
import { dtypeBytes } from '../tensor/tensor';
import { yieldsAt } from './blocks';
import { blockBytes, blockOf, listLength } from './element-rows';
import { scatterNDReduction } from './generated/attributes';
import { beginScatter } from './scattered';
import { DONE, FAILED, YIELD } from './status';

const SLOT_LIST: u32 = 2;
const SLOT_BYTE: u32 = 3;
/** Bytes between two looks at the budget, and about what a list of indices takes. */
const PART: usize = 1 << 18;
const LIST: u64 = 200;

/** X, indices [.., k], updates: X with a block of updates at each list of k indices. */
export function scatterND(): i32 {
  const indices = input(1);
  const updates = input(2);
  const reduction = scatterNDReduction();
  const k = listLength(0);
  if (k < 0 || (progress == 0 && !updatesFit(k))) return FAILED;
  const status = beginScatter(reduction);
  if (status != DONE) return status;
  if (updates.byteLength == 0) return DONE;
  // X may hold nothing any more, but its shape.
  const x = input(0);
  const data = output(0).data;
  const element = dtypeBytes(x.dtype);
  const bytes = blockBytes(x, 0, k);
  const lists = indices.product(0, indices.rank - 1);
  let at: usize = slot(SLOT_BYTE);
  let unchecked: u64 = 0;
  for (let list = slot(SLOT_LIST); list < lists; list++) {
    const block = blockOf(x, indices, 0, k, list, lists);
    if (block < 0) return FAILED;
    const to = data + <usize>block * bytes;
    const from = updates.data + <usize>list * bytes;
    unchecked += LIST;
    while (at < bytes) {
      const count = min(PART, bytes - at);
      if (reduction == ScatterReduction.none) copyBytes(to + at, from + at, count);
      else mergeElements(x.dtype, reduction, to + at, from + at, <u32>count / element);
      at += count;
      unchecked += reduction == ScatterReduction.none ? count / 2 : <u64>(count / element) * 40;
      if (unchecked > 1_000_000) {
        if (yieldsAt(SLOT_BYTE, <u32>at, unchecked)) {
          setSlot(SLOT_LIST, list);
          return YIELD;
        }
        unchecked = 0;
      }
    }
    at = 0;
  }
  return DONE;
}

/** Updates are a block of X for each list of indices. */
function updatesFit(k: u32): bool {
  const x = input(0);
  const indices = input(1);
  const updates = input(2);
  const lists = indices.rank - 1;
  let fits = updates.rank == lists + x.rank - k;
  for (let i: u32 = 0; fits && i < updates.rank; i++) {
    if (updates.dim(i) != (i < lists ? indices.dim(i) : x.dim(i - lists + k))) fits = false;
  }
  if (!fits) failInput(2, 'a block of the tensor for each list of indices');
  return fits;
}
