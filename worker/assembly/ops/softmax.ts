import { DType } from '../generated/constants';
import {
  columnsExp, columnsMax, rowExp, rowMax, scaleColumns, scaleRow, softmaxColumns, softmaxRows,
} from '../kernels/softmax';
import {
  failInput, input, inputDies, output, outputAlloc, progress, setProgress, setSlot, setSlotF, slot,
  slotAddress, slotF, takeOver,
} from '../tensor/node';
import { resolveAxis } from './axes';
import { yieldsAt } from './blocks';
import { softmaxAxis } from './generated/attributes';
import { DONE, FAILED, YIELD } from './status';

const SLOT_OUTER: u32 = 0;
const SLOT_COLUMN: u32 = 1;
const SLOT_PASS: u32 = 2;
const SLOT_ROW: u32 = 3;
const SLOT_BIGGEST: u32 = 8;
const SLOT_SUM: u32 = 12;
/** Numbers under one sum above which they are gone through in parts, in a row and down columns. */
const LONG: u32 = 1 << 17;
const LONG_COLUMN: u32 = 1 << 14;
/** About what an element of a row takes, and one of a column with up to three columns beside it. */
const COST: u64 = 30;
const COST_COLUMNS: u64 = 240;

/** Exponentials over their sum along an axis. */
export function softmax(): i32 {
  const x = input(0);
  const axis = resolveAxis(softmaxAxis(), x.rank);
  if (progress == 0) {
    if (x.dtype != DType.float32 || axis < 0) {
      failInput(0, 'float32 with the axis of the node');
      return FAILED;
    }
    output(0).shapeLike(x);
    if (inputDies(0)) takeOver(0, x.dtype, x.rank);
    else if (!outputAlloc(0, DType.float32, x.rank)) return FAILED;
    setProgress(1);
  }
  const out = output(0);
  if (out.byteLength == 0) return DONE;
  const from = x.data == 0 ? out.data : x.data;
  const outer = x.product(0, axis);
  const n = x.dim(axis);
  const inner = x.product(axis + 1, x.rank);
  const bytes = <usize>n * inner << 2;
  if (inner == 1) {
    const some = max(1, 4096 / n);
    for (let i = slot(SLOT_OUTER); i < outer; ) {
      const count = min(some, outer - i);
      const offset = <usize>i * bytes;
      if (n > LONG) {
        if (!longRow(from + offset, out.data + offset, n)) {
          setSlot(SLOT_OUTER, i);
          return YIELD;
        }
      } else softmaxRows(from + offset, out.data + offset, count, n);
      i += count;
      if (i < outer && yieldsAt(SLOT_OUTER, i, <u64>count * min(n, LONG) * COST)) return YIELD;
    }
    return DONE;
  }
  const step = <usize>inner << 2;
  for (let i = slot(SLOT_OUTER); i < outer; i++) {
    for (let c = slot(SLOT_COLUMN); c < inner; ) {
      const lanes = min(4, inner - c);
      const at = <usize>i * bytes + (<usize>c << 2);
      if (n > LONG_COLUMN) {
        if (!longColumns(from + at, out.data + at, n, step, lanes)) {
          setSlot(SLOT_OUTER, i);
          setSlot(SLOT_COLUMN, c);
          return YIELD;
        }
      } else softmaxColumns(from + at, out.data + at, n, step, lanes);
      c += lanes;
      if ((c < inner || i + 1 < outer) && yieldsAt(SLOT_COLUMN, c, <u64>min(n, LONG_COLUMN) * COST_COLUMNS)) {
        setSlot(SLOT_OUTER, i);
        return YIELD;
      }
    }
    setSlot(SLOT_COLUMN, 0);
  }
  return DONE;
}

/**
 * One row in parts of LONG floats: its largest, the exponentials and their sum, the quotients. False
 * where it yields.
 */
function longRow(x: usize, out: usize, n: u32): bool {
  for (let pass = slot(SLOT_PASS); pass < 3; pass++) {
    for (let i = slot(SLOT_ROW); i < n; ) {
      const some = min(LONG, n - i);
      const from = x + (<usize>i << 2);
      const to = out + (<usize>i << 2);
      if (pass == 0) {
        const biggest = rowMax(from, some);
        setSlotF(SLOT_BIGGEST, i == 0 ? biggest : max(biggest, slotF(SLOT_BIGGEST)));
      } else if (pass == 1) {
        const sum = rowExp(from, to, some, slotF(SLOT_BIGGEST));
        setSlotF(SLOT_SUM, i == 0 ? sum : sum + slotF(SLOT_SUM));
      } else scaleRow(to, some, <f32>1 / slotF(SLOT_SUM));
      i += some;
      if (yieldsAt(SLOT_ROW, i, <u64>some * COST)) {
        setSlot(SLOT_PASS, pass);
        return false;
      }
    }
    setSlot(SLOT_ROW, 0);
  }
  setSlot(SLOT_PASS, 0);
  return true;
}

/** {@link softmaxColumns} in parts of LONG_COLUMN rows. False where it yields. */
function longColumns(x: usize, out: usize, n: u32, step: usize, lanes: u32): bool {
  for (let pass = slot(SLOT_PASS); pass < 3; pass++) {
    for (let row = slot(SLOT_ROW); row < n; ) {
      const some = min(LONG_COLUMN, n - row);
      const from = x + <usize>row * step;
      const to = out + <usize>row * step;
      const first = row == 0;
      if (pass == 0) columnsMax(first, slotAddress(SLOT_BIGGEST), from, some, step, lanes);
      else if (pass == 1) {
        columnsExp(first, slotAddress(SLOT_SUM), slotAddress(SLOT_BIGGEST), from, to, some, step, lanes);
      } else scaleColumns(slotAddress(SLOT_SUM), to, some, step, lanes);
      row += some;
      if (yieldsAt(SLOT_ROW, row, <u64>some * COST_COLUMNS)) {
        setSlot(SLOT_PASS, pass);
        return false;
      }
    }
    setSlot(SLOT_ROW, 0);
  }
  setSlot(SLOT_PASS, 0);
  return true;
}
