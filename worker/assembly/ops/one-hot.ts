import { DType } from '../generated/constants';
import { failInput, hasInput, input, output, outputAlloc, progress, setProgress, setSlot, slot } from '../tensor/node';
import { dtypeBytes, MAX_RANK, Tensor } from '../tensor/tensor';
import { resolveAxis } from './axes';
import { fillElements, unitsOfBlock, yieldsAt } from './blocks';
import { oneHotAxis } from './generated/attributes';
import { DONE, FAILED, YIELD } from './status';

const FILLING: u32 = 1;
const MARKING: u32 = 2;
/** About what an index takes. */
const COST: u64 = 50;

/** indices, depth, values [off, on]: a new dimension of size depth, on where its index is the one given. */
export function oneHot(): i32 {
  const indices = input(0);
  const axis = resolveAxis(oneHotAxis(), indices.rank + 1);
  if (progress == 0 && !begin(indices, axis)) return FAILED;
  const out = output(0);
  const bytes = dtypeBytes(out.dtype);
  if (progress == FILLING) {
    if (!fillElements(out.data, out.byteLength, bytes, bitsAt(input(2).data, bytes))) return YIELD;
    setSlot(0, 0);
    setProgress(MARKING);
  }
  if (out.byteLength == 0) return DONE;
  const on = bitsAt(input(2).data + bytes, bytes);
  const depth = <i64>out.dim(axis);
  const inner = out.product(axis + 1, out.rank);
  const count = indices.count();
  const some = unitsOfBlock(COST);
  for (let i = slot(0); i < count; ) {
    const end = i + min(some, count - i);
    const units = end - i;
    for (; i < end; i++) {
      const given = load<i64>(indices.data + (<usize>i << 3));
      const index = given < 0 ? given + depth : given;
      if (index < 0 || index >= depth) continue;
      const place = ((i / inner) * <u32>depth + <u32>index) * inner + (i % inner);
      storeBits(out.data + <usize>place * bytes, bytes, on);
    }
    if (i < count && yieldsAt(0, i, COST * units)) return YIELD;
  }
  return DONE;
}

function begin(indices: Tensor, axis: i32): bool {
  if (indices.dtype != DType.int64 || axis < 0 || indices.rank >= MAX_RANK) {
    failInput(0, 'int64 of at most 7 dimensions, one less than the axis of the node allows');
    return false;
  }
  const depth = input(1);
  if (!hasInput(1) || depth.dtype != DType.int64 || depth.count() != 1) {
    failInput(1, 'one int64');
    return false;
  }
  const size = load<i64>(depth.data);
  if (size < 0 || size > i64(u32.MAX_VALUE)) {
    failInput(1, 'a size of 0 to 2^32 - 1');
    return false;
  }
  if (!hasInput(2) || input(2).count() != 2) {
    failInput(2, 'two values, off and on');
    return false;
  }
  const out = output(0);
  for (let i: u32 = 0; i <= indices.rank; i++) {
    out.setDim(i, i == <u32>axis ? <u32>size : indices.dim(i < <u32>axis ? i : i - 1));
  }
  if (!outputAlloc(0, input(2).dtype, indices.rank + 1)) return false;
  setProgress(FILLING);
  return true;
}

@inline
function bitsAt(at: usize, bytes: u32): u64 {
  if (bytes == 8) return load<u64>(at);
  if (bytes == 4) return load<u32>(at);
  return bytes == 2 ? <u64>load<u16>(at) : <u64>load<u8>(at);
}

@inline
function storeBits(at: usize, bytes: u32, bits: u64): void {
  if (bytes == 8) store<u64>(at, bits);
  else if (bytes == 4) store<u32>(at, <u32>bits);
  else if (bytes == 2) store<u16>(at, <u16>bits);
  else store<u8>(at, <u8>bits);
}
