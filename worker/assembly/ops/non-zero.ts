import { DType } from '../generated/constants';
import { input, output, outputAlloc, progress, setProgress, setSlot, slot } from '../tensor/node';
import { dtypeBytes, Tensor } from '../tensor/tensor';
import { unitsOfBlock, yieldsAt } from './blocks';
import { DONE, FAILED, YIELD } from './status';

const COUNTING: u32 = 0;
const WRITING: u32 = 1;
const SLOT_AT: u32 = 0;
const SLOT_FOUND: u32 = 1;
/** About what a look takes, and each index that is written. */
const LOOK: u64 = 40;
const INDEX: u64 = 60;

/** Places of the elements of X that are not 0, as [rank, count]. */
export function nonZero(): i32 {
  const x = input(0);
  if (progress == COUNTING) {
    if (!pass(x, false)) return YIELD;
    output(0).setDim(0, x.rank);
    output(0).setDim(1, slot(SLOT_FOUND));
    if (!outputAlloc(0, DType.int64, 2)) return FAILED;
    setSlot(SLOT_AT, 0);
    setSlot(SLOT_FOUND, 0);
    setProgress(WRITING);
  }
  return pass(x, true) ? DONE : YIELD;
}

/** Counts elements that are not 0, and writes their places. False where it yields. */
function pass(x: Tensor, writes: bool): bool {
  const count = x.count();
  const cost = LOOK + (writes ? INDEX * x.rank : 0);
  const some = unitsOfBlock(cost);
  const bytes = dtypeBytes(x.dtype);
  const ignored = signOf(x.dtype);
  const columns = writes ? output(0).dim(1) : 0;
  let found = slot(SLOT_FOUND);
  for (let i = slot(SLOT_AT); i < count; ) {
    const end = i + min(some, count - i);
    const units = end - i;
    for (; i < end; i++) {
      if ((bitsAt(x.data, i, bytes) & ~ignored) == 0) continue;
      if (writes) {
        let rest = i;
        for (let axis = <i32>x.rank - 1; axis >= 0; axis--) {
          const place = <usize>axis * columns + found;
          store<i64>(output(0).data + (place << 3), rest % x.dim(axis));
          rest /= x.dim(axis);
        }
      }
      found++;
    }
    setSlot(SLOT_FOUND, found);
    if (i < count && yieldsAt(SLOT_AT, i, cost * units)) return false;
  }
  setSlot(SLOT_FOUND, found);
  return true;
}

/** The bit of the sign of floats, of which there is a negative 0. */
function signOf(type: u32): u64 {
  if (type == DType.float64) return 1 << 63;
  if (type == DType.float32) return 1 << 31;
  return type == DType.float16 || type == DType.bfloat16 ? 1 << 15 : 0;
}

@inline
function bitsAt(data: usize, i: u32, bytes: u32): u64 {
  if (bytes == 4) return load<u32>(data + (<usize>i << 2));
  if (bytes == 8) return load<u64>(data + (<usize>i << 3));
  return bytes == 2 ? <u64>load<u16>(data + (<usize>i << 1)) : <u64>load<u8>(data + i);
}
