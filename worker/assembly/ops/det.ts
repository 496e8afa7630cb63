import { DType } from '../generated/constants';
import { failInput, input, output, outputAlloc, progress, setProgress, setSlot, setSlotF, slot, slotF, temporary } from '../tensor/node';
import { Tensor } from '../tensor/tensor';
import { copyRows, yieldsAt } from './blocks';
import { DONE, FAILED, YIELD } from './status';

/** Slots 0 and 1 are those of copies. */
const SLOT_MATRIX: u32 = 2;
const SLOT_STEP: u32 = 3;
const SLOT_ROW: u32 = 4;
const SLOT_COPIED: u32 = 5;
const SLOT_VALUE: u32 = 6;
/** About what a row takes, and one of its numbers. */
const ROW: u64 = 100;
const NUMBER: u64 = 3;

let n: u32 = 0;
let matrix: usize = 0;

/** Determinants of [.., n, n]: products of the pivots of Gaussian elimination. */
export function det(): i32 {
  const x = input(0);
  if (progress == 0 && !begin(x)) return FAILED;
  n = x.dim(x.rank - 1);
  const count = output(0).count();
  const bytes = (<usize>n * n) << 2;
  matrix = temporary(0, max<usize>(bytes, 64));
  if (matrix == 0) return FAILED;
  for (let m = slot(SLOT_MATRIX); m < count; ) {
    if (slot(SLOT_COPIED) == 0) {
      if (!copyRows(matrix, 0, x.data + m * bytes, 0, 1, bytes)) return suspended(m);
      setSlot(SLOT_COPIED, 1);
      setSlotF(SLOT_VALUE, 1);
    }
    if (!eliminate()) return suspended(m);
    store<f32>(output(0).data + (<usize>m << 2), slotF(SLOT_VALUE));
    setSlot(SLOT_COPIED, 0);
    setSlot(SLOT_STEP, 0);
    m++;
    if (m < count && yieldsAt(SLOT_MATRIX, m, <u64>n * ROW)) return YIELD;
  }
  return DONE;
}

function begin(x: Tensor): bool {
  const isSquare = x.rank >= 2 && x.dim(x.rank - 1) == x.dim(x.rank - 2);
  if (x.dtype != DType.float32 || !isSquare || x.dim(x.rank - 1) > 0x4000) {
    failInput(0, 'float32 [.., n, n] with n of at most 16384');
    return false;
  }
  output(0).shapeLike(x);
  if (!outputAlloc(0, DType.float32, x.rank - 2)) return false;
  setProgress(1);
  return true;
}

function suspended(m: u32): i32 {
  setSlot(SLOT_MATRIX, m);
  return YIELD;
}

@inline
function rowAt(row: u32): usize {
  return matrix + ((<usize>row * n) << 2);
}

/** Makes zeros below the diagonal, column after column. False where it yields. */
function eliminate(): bool {
  let unchecked: u64 = 0;
  for (let k = slot(SLOT_STEP); k < n; k++) {
    let row = slot(SLOT_ROW);
    if (row == 0) {
      if (!takePivot(k)) return true;
      unchecked += <u64>n * 20;
      row = k + 1;
    }
    const top = rowAt(k);
    const pivot = load<f32>(top + (<usize>k << 2));
    for (; row < n; ) {
      const own = rowAt(row);
      subtract(own, top, load<f32>(own + (<usize>k << 2)) / pivot, k + 1);
      unchecked += ROW + NUMBER * (n - k);
      row++;
      if (unchecked > 1_000_000 && row < n) {
        setSlot(SLOT_STEP, k);
        if (yieldsAt(SLOT_ROW, row, unchecked)) return false;
        unchecked = 0;
      }
    }
    setSlot(SLOT_ROW, 0);
  }
  return true;
}

/** Brings the largest number of a column to the diagonal. False where all are zero, and the determinant too. */
function takePivot(k: u32): bool {
  const at = <usize>k << 2;
  let best = k;
  for (let i = k + 1; i < n; i++) {
    if (abs(load<f32>(rowAt(i) + at)) > abs(load<f32>(rowAt(best) + at))) best = i;
  }
  const pivot = load<f32>(rowAt(best) + at);
  setSlotF(SLOT_VALUE, slotF(SLOT_VALUE) * (best == k ? pivot : -pivot));
  if (pivot == 0) return false;
  if (best == k) return true;
  for (let j = k; j < n; j++) {
    const a = rowAt(k) + (<usize>j << 2);
    const b = rowAt(best) + (<usize>j << 2);
    const held = load<f32>(a);
    store<f32>(a, load<f32>(b));
    store<f32>(b, held);
  }
  return true;
}

/** row -= factor * top, from number `from` on. */
function subtract(row: usize, top: usize, factor: f32, from: u32): void {
  let i = from;
  const factors = f32x4.splat(factor);
  for (; i + 4 <= n; i += 4) {
    const at = <usize>i << 2;
    v128.store(row + at, f32x4.sub(v128.load(row + at), f32x4.mul(factors, v128.load(top + at))));
  }
  for (; i < n; i++) {
    const at = <usize>i << 2;
    store<f32>(row + at, load<f32>(row + at) - factor * load<f32>(top + at));
  }
}
