import { DType } from '../generated/constants';
import { copyBytes, fillZeros } from '../kernels/copy';
import {
  failInput, hasInput, input, inputDies, output, outputAlloc, progress, setProgress, setSlot, slot, takeOver,
} from '../tensor/node';
import { dtypeBytes, Tensor } from '../tensor/tensor';
import { unitsOfBlock, yieldsAt } from './blocks';
import { triluUpper } from './generated/attributes';
import { DONE, FAILED, YIELD } from './status';

const SLOT_ROW: u32 = 0;
const SLOT_COLUMN: u32 = 1;
/** About what a row takes beside its bytes, of which each takes one, and bytes of a row that are gone through at once. */
const ROW: u64 = 80;
const PART: u32 = 1 << 20;

/** X, k?: the upper or lower triangle of each matrix from diagonal k on; zeros beside it. */
export function trilu(): i32 {
  const x = input(0);
  if (progress == 0 && !begin(x)) return FAILED;
  const out = output(0);
  if (out.byteLength == 0) return DONE;
  const from = x.data == 0 ? out.data : x.data;
  const bytes = dtypeBytes(out.dtype);
  const height = out.dim(out.rank - 2);
  const width = out.dim(out.rank - 1);
  const rowBytes = width * bytes;
  const rows = out.byteLength / rowBytes;
  const some = unitsOfBlock(ROW + rowBytes);
  const upper = triluUpper();
  for (let row = slot(SLOT_ROW); row < rows; ) {
    const end = row + min(some, rows - row);
    for (; row < end; row++) {
      const border = borderOf(<i64>(row % height), width, upper) * bytes;
      const at = <usize>row * rowBytes;
      for (let done = slot(SLOT_COLUMN); done < rowBytes; ) {
        const until = min(rowBytes, done + PART);
        keepPart(out.data + at, from + at, done, until, border, upper);
        done = until;
        if (done < rowBytes && yieldsAt(SLOT_COLUMN, done, PART)) {
          setSlot(SLOT_ROW, row);
          return YIELD;
        }
      }
      setSlot(SLOT_COLUMN, 0);
    }
    if (row < rows && yieldsAt(SLOT_ROW, row, some * (ROW + rowBytes))) return YIELD;
  }
  return DONE;
}

/** Column of a row at which its upper part begins, or its lower one ends. */
function borderOf(row: i64, width: u32, upper: bool): u32 {
  const diagonal = hasInput(1) ? load<i64>(input(1).data) : 0;
  // Far from the limits of 64 bits, so that sums are right.
  const shift = min(max(diagonal, -(<i64>1 << 33)), <i64>1 << 33);
  return <u32>min(max(row + shift + (upper ? 0 : 1), 0), <i64>width);
}

/** Bytes [start, end) of a row whose part before or behind `border` becomes zeros. */
function keepPart(to: usize, from: usize, start: u32, end: u32, border: u32, upper: bool): void {
  const middle = min(max(border, start), end);
  const kept = upper ? middle : start;
  const keptEnd = upper ? end : middle;
  if (to != from) copyBytes(to + kept, from + kept, keptEnd - kept);
  const zero = upper ? start : middle;
  fillZeros(to + zero, to + (upper ? middle : end));
}

function begin(x: Tensor): bool {
  if (x.rank < 2) {
    failInput(0, 'of two dimensions or more');
    return false;
  }
  if (hasInput(1) && (input(1).dtype != DType.int64 || input(1).count() != 1)) {
    failInput(1, 'one int64');
    return false;
  }
  output(0).shapeLike(x);
  if (inputDies(0)) takeOver(0, x.dtype, x.rank);
  else if (!outputAlloc(0, x.dtype, x.rank)) return false;
  setProgress(1);
  return true;
}
