import { DType } from '../generated/constants';
import { failInput, input, output, outputAlloc, progress, setProgress, setSlot, slot } from '../tensor/node';
import { Tensor } from '../tensor/tensor';
import { resolveAxis } from './axes';
import { unitsOfBlock, yieldsAt } from './blocks';
import { argExtremeAxis, argExtremeKeepDims, argExtremeLargest, argExtremeLast } from './generated/attributes';
import { DONE, FAILED, YIELD } from './status';

const SLOT_OUTER: u32 = 0;
const SLOT_COLUMN: u32 = 1;
const SLOT_ROW: u32 = 2;
/** About what an element takes, and columns that are gone down together. */
const COST: u64 = 40;
const COLUMNS: u32 = 1 << 14;

/** Index of the largest or smallest element along an axis; of equal ones the first, or the last. */
export function argExtreme(): i32 {
  const x = input(0);
  const axis = resolveAxis(argExtremeAxis(), x.rank);
  if (progress == 0 && !begin(x, axis)) return FAILED;
  if (output(0).byteLength == 0) return DONE;
  switch (x.dtype) {
    case DType.float32:
      return places<f32>(x, axis);
    case DType.float64:
      return places<f64>(x, axis);
    case DType.int64:
      return places<i64>(x, axis);
    case DType.uint64:
      return places<u64>(x, axis);
    case DType.int32:
      return places<i32>(x, axis);
    case DType.uint32:
      return places<u32>(x, axis);
    case DType.int16:
      return places<i16>(x, axis);
    case DType.uint16:
      return places<u16>(x, axis);
    case DType.int8:
      return places<i8>(x, axis);
    default:
      return places<u8>(x, axis);
  }
}

function begin(x: Tensor, axis: i32): bool {
  const isNumber = x.dtype != DType.bool && x.dtype != DType.float16 && x.dtype != DType.bfloat16;
  if (!isNumber || axis < 0 || (x.dim(axis) == 0 && x.product(0, axis) * x.product(axis + 1, x.rank) != 0)) {
    failInput(0, 'of numbers, with the axis of the node and at least one element along it');
    return false;
  }
  const out = output(0);
  let rank: u32 = 0;
  for (let i: u32 = 0; i < x.rank; i++) {
    if (i != <u32>axis) out.setDim(rank++, x.dim(i));
    else if (argExtremeKeepDims()) out.setDim(rank++, 1);
  }
  if (!outputAlloc(0, DType.int64, rank)) return false;
  setProgress(1);
  return true;
}

/** Down some columns at a time; the place of the best so far stands in the output. */
function places<T>(x: Tensor, axis: i32): i32 {
  const outer = x.product(0, axis);
  const n = x.dim(axis);
  const inner = x.product(axis + 1, x.rank);
  for (let o = slot(SLOT_OUTER); o < outer; o++) {
    for (let c = slot(SLOT_COLUMN); c < inner; c += COLUMNS) {
      const width = min(COLUMNS, inner - c);
      const from = x.data + (<usize>o * n * inner + c) * sizeof<T>();
      const to = output(0).data + ((<usize>o * inner + c) << 3);
      const some = unitsOfBlock(COST * width);
      for (let row = slot(SLOT_ROW); row < n; ) {
        const end = row + min(some, n - row);
        const units = end - row;
        for (; row < end; row++) look<T>(from, <usize>inner * sizeof<T>(), row, width, to);
        if (yieldsAt(SLOT_ROW, row, COST * width * units)) {
          setSlot(SLOT_OUTER, o);
          setSlot(SLOT_COLUMN, c);
          return YIELD;
        }
      }
      setSlot(SLOT_ROW, 0);
    }
    setSlot(SLOT_COLUMN, 0);
  }
  return DONE;
}

/** Compares row `row` with the best so far of each column. */
@inline
function look<T>(from: usize, step: usize, row: u32, width: u32, to: usize): void {
  const largest = argExtremeLargest();
  const last = argExtremeLast();
  for (let c: u32 = 0; c < width; c++, from += sizeof<T>(), to += 8) {
    if (row == 0) {
      store<i64>(to, 0);
      continue;
    }
    const x = load<T>(from + <usize>row * step);
    const best = load<T>(from + <usize>load<i64>(to) * step);
    if ((largest ? x > best : x < best) || (last && x == best)) store<i64>(to, row);
  }
}
