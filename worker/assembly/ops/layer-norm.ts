import { DType } from '../generated/constants';
import { layerNormRows, normaliseRow, rowFactor, rowSum, squaredDifferences } from '../kernels/layer-norm';
import {
  failInput, hasInput, input, inputDies, output, outputAlloc, progress, setProgress, setSlot, setSlotF,
  slot, slotF, takeOver,
} from '../tensor/node';
import { resolveAxis } from './axes';
import { yieldsAt } from './blocks';
import { layerNormAxis, layerNormEpsilon } from './generated/attributes';
import { DONE, FAILED, YIELD } from './status';

const SLOT_ROW: u32 = 0;
const SLOT_PASS: u32 = 1;
const SLOT_AT: u32 = 2;
const SLOT_SUM: u32 = 3;
const SLOT_SQUARES: u32 = 4;
/** Floats of a block of rows; a longer row is gone through in parts. */
const LONG: u32 = 1 << 16;

/** X, scale, bias? */
export function layerNorm(): i32 {
  const x = input(0);
  const axis = resolveAxis(layerNormAxis(), x.rank);
  if (progress == 0 && !begin(axis)) return FAILED;
  const out = output(0);
  if (out.byteLength == 0) return DONE;
  const from = x.data == 0 ? out.data : x.data;
  const rows = x.product(0, axis);
  const n = x.product(axis, x.rank);
  const rowBytes = <usize>n << 2;
  const bias = hasInput(2) ? input(2).data : 0;
  const some = max(1, LONG / n);
  for (let i = slot(SLOT_ROW); i < rows; ) {
    const count = min(some, rows - i);
    const offset = <usize>i * rowBytes;
    if (n > LONG) {
      if (!longRow(from + offset, out.data + offset, n, input(1).data, bias)) {
        setSlot(SLOT_ROW, i);
        return YIELD;
      }
    } else layerNormRows(from + offset, out.data + offset, count, n, input(1).data, bias, layerNormEpsilon());
    i += count;
    if (i < rows && yieldsAt(SLOT_ROW, i, <u64>count * min(n, LONG) * 12)) return YIELD;
  }
  return DONE;
}

/** One row in parts of LONG floats: its sum, the differences to the mean, the result. False where it yields. */
function longRow(x: usize, out: usize, n: u32, scale: usize, bias: usize): bool {
  for (let pass = slot(SLOT_PASS); pass < 3; pass++) {
    for (let i = slot(SLOT_AT); i < n; ) {
      const count = min(LONG, n - i);
      const at = <usize>i << 2;
      const mean = slotF(SLOT_SUM) / <f32>n;
      if (pass == 0) setSlotF(SLOT_SUM, slotF(SLOT_SUM) + rowSum(x + at, count));
      else if (pass == 1) setSlotF(SLOT_SQUARES, slotF(SLOT_SQUARES) + squaredDifferences(x + at, count, mean));
      else {
        const factor = rowFactor(slotF(SLOT_SQUARES), n, layerNormEpsilon());
        normaliseRow(x + at, out + at, count, mean, factor, scale + at, bias == 0 ? 0 : bias + at);
      }
      i += count;
      if (yieldsAt(SLOT_AT, i, <u64>count * 6)) {
        setSlot(SLOT_PASS, pass);
        return false;
      }
    }
    setSlot(SLOT_AT, 0);
  }
  for (let i = SLOT_PASS; i <= SLOT_SQUARES; i++) setSlot(i, 0);
  return true;
}

function begin(axis: i32): bool {
  const x = input(0);
  if (x.dtype != DType.float32 || axis < 0) {
    failInput(0, 'float32 with the axis of the node');
    return false;
  }
  const n = x.product(axis, x.rank);
  for (let i: u32 = 1; i < 3; i++) {
    if (i == 2 && !hasInput(2)) continue;
    if (input(i).dtype != DType.float32 || input(i).count() != n) {
      failInput(i, 'float32 with one value for each of the normalised ones');
      return false;
    }
  }
  output(0).shapeLike(x);
  if (inputDies(0)) takeOver(0, x.dtype, x.rank);
  else if (!outputAlloc(0, DType.float32, x.rank)) return false;
  setProgress(1);
  return true;
}
