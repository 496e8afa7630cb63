import { DType } from '../generated/constants';
import { copyBytes } from '../kernels/copy';
import { failInput, hasInput, input, output, outputAlloc, progress, setProgress, setSlot, slot } from '../tensor/node';
import { dtypeBytes, Tensor } from '../tensor/tensor';
import { resolveAxis } from './axes';
import { copyRows, unitsOfBlock, yieldsAt } from './blocks';
import { compressAxis, compressFlat } from './generated/attributes';
import { DONE, FAILED, YIELD } from './status';

const COUNTING: u32 = 1;
const COPYING: u32 = 2;
/** Slots 0 and 1 are those of copyRows. */
const SLOT_PART: u32 = 2;
const SLOT_FOUND: u32 = 3;
/** About what a look at the condition takes, and a copy beside its bytes. */
const LOOK: u64 = 25;
const COPY: u64 = 150;
/** Bytes above which one part is copied in pieces. */
const LARGE: usize = 1 << 20;

/** X, condition: the parts along the axis of which the condition is true; `flat`: of X as a list. */
export function compress(): i32 {
  const x = input(0);
  const axis = compressFlat() ? 0 : resolveAxis(compressAxis(), x.rank);
  if (progress == 0) {
    if (!hasInput(1) || input(1).dtype != DType.bool || input(1).rank != 1) {
      failInput(1, 'bool of one dimension');
      return FAILED;
    }
    if (axis < 0) {
      failInput(0, 'of a shape that has the axis of the node');
      return FAILED;
    }
    setProgress(COUNTING);
  }
  const n = compressFlat() ? x.count() : x.dim(axis);
  const looked = min(n, input(1).count());
  if (progress == COUNTING) {
    if (!counted(looked)) return YIELD;
    if (!begin(x, axis, slot(SLOT_FOUND))) return FAILED;
  }
  if (output(0).byteLength == 0) return DONE;
  const outer = compressFlat() ? 1 : x.product(0, axis);
  const inner: usize = compressFlat() ? 1 : x.product(axis + 1, x.rank);
  return copied(x, n, looked, outer, inner * dtypeBytes(x.dtype));
}

/** Counts what is true. False where it yields. */
function counted(looked: u32): bool {
  const some = unitsOfBlock(LOOK);
  for (let i = slot(SLOT_PART); i < looked; ) {
    const end = i + min(some, looked - i);
    const units = end - i;
    let found = slot(SLOT_FOUND);
    for (; i < end; i++) found += u32(load<u8>(input(1).data + i) != 0);
    setSlot(SLOT_FOUND, found);
    if (yieldsAt(SLOT_PART, i, LOOK * units)) return false;
  }
  return true;
}

function begin(x: Tensor, axis: i32, found: u32): bool {
  const out = output(0);
  if (compressFlat()) out.setDim(0, found);
  else {
    out.shapeLike(x);
    out.setDim(axis, found);
  }
  if (!outputAlloc(0, x.dtype, compressFlat() ? 1 : x.rank)) return false;
  setSlot(SLOT_PART, 0);
  setSlot(SLOT_FOUND, 0);
  setProgress(COPYING);
  return true;
}

/** Goes over all parts of all outer indexes; those that are true go one behind the other. */
function copied(x: Tensor, n: u32, looked: u32, outer: u32, bytes: usize): i32 {
  const parts = outer * looked;
  const some = bytes > LARGE ? 1 : unitsOfBlock(LOOK + COPY + bytes / 2);
  let found = slot(SLOT_FOUND);
  for (let part = slot(SLOT_PART); part < parts; ) {
    const end = part + min(some, parts - part);
    const units = end - part;
    for (; part < end; part++) {
      const i = part % looked;
      if (load<u8>(input(1).data + i) == 0) continue;
      const from = x.data + <usize>((part / looked) * n + i) * bytes;
      const to = output(0).data + <usize>found * bytes;
      if (bytes <= LARGE) copyBytes(to, from, bytes);
      else if (!copyRows(to, 0, from, 0, 1, bytes)) {
        setSlot(SLOT_PART, part);
        setSlot(SLOT_FOUND, found);
        return YIELD;
      }
      found++;
    }
    if (part < parts && yieldsAt(SLOT_PART, part, bytes > LARGE ? LOOK : (LOOK + COPY + bytes / 2) * units)) {
      setSlot(SLOT_FOUND, found);
      return YIELD;
    }
  }
  return DONE;
}
