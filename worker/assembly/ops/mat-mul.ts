import {
  CanisterError, depthPiece, DType, matMulBlockFloats, matMulMinBlockRows, singleRows, UnaryKind,
} from '../generated/constants';
import { dotRows } from '../kernels/dot';
import { gemm } from '../kernels/gemm';
import { packedWidth } from '../kernels/panel';
import { copyLanes } from '../kernels/rows';
import { rowTimesMatrix } from '../kernels/row-matrix';
import { transposeWords } from '../kernels/transpose';
import { unary } from '../kernels/unary';
import { spent } from '../tensor/budget';
import { text } from '../tensor/errors';
import {
  failInput, failInputs, failNode, input, output, outputAlloc, progress, setProgress, setSlot,
  slot, temporary,
} from '../tensor/node';
import { Tensor } from '../tensor/tensor';
import { fillElements, transposeTiles, unitsOfBlock, yieldsAt } from './blocks';
import { matMulAlpha, matMulTransA, matMulTransB } from './generated/attributes';
import { DONE, FAILED, YIELD } from './status';

const SLOT_BATCH: u32 = 0;
const SLOT_COLUMN: u32 = 1;
const SLOT_ROW: u32 = 2;
const SLOT_DEPTH: u32 = 3;
const SLOT_TILE: u32 = 4;
const SLOT_SCALED: u32 = 5;
/** Rows of the matrix on the right that a single row on the left meets at a time; a multiple of 16. */
const SINGLE_PIECE: u32 = 65536;
/** About what a multiply-add of a single row takes, and an element of the factor. */
const COST_SINGLE: u64 = 4;
const COST_SCALE: u64 = 8;
const TEMPORARY_PANEL: u32 = 0;
const TEMPORARY_RAGGED: u32 = 1;
const TEMPORARY_A: u32 = 2;

/** A bias of zeros. */
const zeros: usize = memory.data(64);

let m: u32 = 0;
let n: u32 = 0;
let depth: u32 = 0;

/** A [.., M, K] x B [.., K, N]; leading dimensions broadcast. */
export function matMul(): i32 {
  const a = input(0);
  const b = input(1);
  if (a.dtype != DType.float32 || a.rank == 0) {
    failInput(0, 'float32 with at least one dimension');
    return FAILED;
  }
  if (b.dtype != DType.float32 || b.rank == 0) {
    failInput(1, 'float32 with at least one dimension');
    return FAILED;
  }
  const transA = matMulTransA() && a.rank > 1;
  const transB = matMulTransB() && b.rank > 1;
  // A vector is a row on the left, a column on the right.
  m = a.rank == 1 ? 1 : a.dim(a.rank - (transA ? 1 : 2));
  depth = a.dim(a.rank - (transA ? 2 : 1));
  n = b.rank == 1 ? 1 : b.dim(b.rank - (transB ? 2 : 1));
  const depthB = b.rank == 1 ? b.dim(0) : b.dim(b.rank - (transB ? 1 : 2));
  if (depth != depthB) {
    failInputs(0, 1, 'inner dimensions must be equal');
    return FAILED;
  }
  if (progress == 0 && !begin(a, b)) return FAILED;
  const out = output(0);
  if (out.byteLength == 0) return DONE;
  if (depth == 0) {
    return fillElements(out.data, out.byteLength, 4, 0) ? DONE : YIELD;
  }
  // One matrix on the right for all on the left: their rows are rows of one product.
  if (b.rank <= 2 && !transA) {
    m = a.count() / depth;
    return batches(a, b, 1, transA, transB);
  }
  return batches(a, b, out.count() / (m * n), transA, transB);
}

function begin(a: Tensor, b: Tensor): bool {
  const out = output(0);
  const outer = max(max(a.rank, b.rank), 2) - 2;
  for (let i: u32 = 0; i < outer; i++) {
    const da = outerDim(a, i, outer);
    const db = outerDim(b, i, outer);
    if (da != db && da != 1 && db != 1) {
      failInputs(0, 1, 'leading dimensions must broadcast');
      return false;
    }
    out.setDim(i, da == 1 ? db : da);
  }
  let rank = outer;
  if (a.rank > 1) out.setDim(rank++, m);
  if (b.rank > 1) out.setDim(rank++, n);
  setProgress(1);
  return outputAlloc(0, DType.float32, rank);
}

/** Leading dimension `i` of `outer`, aligned at the last; 1 where the tensor has none. */
function outerDim(t: Tensor, i: u32, outer: u32): u32 {
  const own = max(t.rank, 2) - 2;
  return i + own < outer ? 1 : t.dim(i + own - outer);
}

/** Which of its matrices a tensor contributes to product `batch`. */
function matrixIndex(t: Tensor, batch: u32): u32 {
  const out = output(0);
  const outer = max(max(input(0).rank, input(1).rank), 2) - 2;
  let index: u32 = 0;
  let stride: u32 = 1;
  for (let i = <i32>outer - 1; i >= 0; i--) {
    const size = outerDim(t, i, outer);
    if (size != 1) index += (batch % out.dim(i)) * stride;
    stride *= size;
    batch /= out.dim(i);
  }
  return index;
}

function batches(a: Tensor, b: Tensor, count: u32, transA: bool, transB: bool): i32 {
  const out = output(0);
  const alpha = matMulAlpha();
  const unit = unitsOfBlock(COST_SCALE) & ~3;
  for (let batch = slot(SLOT_BATCH); batch < count; batch++) {
    let left = a.data + (<usize>matrixIndex(a, batch) * m * depth << 2);
    const right = b.data + (<usize>matrixIndex(b, batch) * n * depth << 2);
    const to = out.data + (<usize>batch * m * n << 2);
    if (transA) {
      const copy = temporary(TEMPORARY_A, <usize>m * depth << 2);
      if (copy == 0) return FAILED;
      if (!transposeTiles(copy, <usize>depth << 2, left, <usize>m << 2, m, depth, SLOT_TILE)) {
        setSlot(SLOT_BATCH, batch);
        return YIELD;
      }
      left = copy;
    }
    const status = m <= singleRows ? oneByOne(left, right, to, transB, batch) : panels(left, right, to, transB, batch);
    if (status != DONE) return status;
    for (let i = slot(SLOT_SCALED); alpha != 1 && i < m * n; ) {
      const some = min(unit, m * n - i);
      const at = to + (<usize>i << 2);
      unary(UnaryKind.affine, at, at, some, alpha, 0, 1, 0);
      i += some;
      if (yieldsAt(SLOT_SCALED, i, COST_SCALE * some)) {
        save(batch, n, 0, 0);
        return YIELD;
      }
    }
    for (let i = SLOT_COLUMN; i <= SLOT_SCALED; i++) setSlot(i, 0);
    if (batch + 1 < count && yieldsAt(SLOT_BATCH, batch + 1, 500)) return YIELD;
  }
  return DONE;
}

/** One product of a row or two: some columns of the matrix at a time, down its rows in pieces. */
function oneByOne(a: usize, b: usize, out: usize, transB: bool, batch: u32): i32 {
  const piece = min(depth, SINGLE_PIECE);
  const width = max<u32>(16, unitsOfBlock(<u64>piece * m * COST_SINGLE) & ~15);
  const step = (transB ? <usize>depth : <usize>n) << 2;
  let k = slot(SLOT_DEPTH);
  for (let start = slot(SLOT_COLUMN); start < n; start += width, k = 0) {
    const count = min(width, n - start);
    while (k < depth) {
      const some = min(piece, depth - k);
      for (let i: u32 = 0; i < m; i++) {
        const from = a + ((<usize>i * depth + k) << 2);
        const to = out + ((<usize>i * n + start) << 2);
        if (transB) dotRows(k == 0, from, b + <usize>start * step + (<usize>k << 2), step, some, count, to);
        else rowTimesMatrix(k == 0, from, b + <usize>k * step + (<usize>start << 2), step, some, count, to);
      }
      k += some;
      if (spent(<u64>some * max<u32>(4, count) * m * COST_SINGLE) && (k < depth || start + count < n)) {
        save(batch, start, 0, k);
        return YIELD;
      }
    }
  }
  return DONE;
}

/**
 * One product, 16 columns at a time, of them a piece of their depth: packed into a small panel, then
 * blocks of rows of A through it. Yields between blocks.
 */
function panels(a: usize, b: usize, out: usize, transB: bool, batch: u32): i32 {
  const piece = min(depth, depthPiece);
  const block = min(m, max(matMulMinBlockRows, matMulBlockFloats / piece));
  const panel = temporary(TEMPORARY_PANEL, <usize>piece << 6);
  const ragged = (n & 3) != 0 ? temporary(TEMPORARY_RAGGED, <usize>block << 6) : panel;
  if (panel == 0 || ragged == 0) return FAILED;
  const aStep = <usize>depth << 2;
  const outStep = <usize>n << 2;
  let row = slot(SLOT_ROW);
  let k = slot(SLOT_DEPTH);
  for (let start = slot(SLOT_COLUMN); start < n; start += 16, k = 0) {
    const width = packedWidth(n - start);
    const lanes = min<u32>(16, n - start);
    const direct = (lanes & 3) == 0;
    for (; k < depth; k += piece, row = 0) {
      const some = min(piece, depth - k);
      if (row == 0) {
        if (transB) transposeWords(panel, width, b + ((<usize>start * depth + k) << 2), aStep, some, lanes);
        else copyLanes(b + ((<usize>k * n + start) << 2), outStep, panel, width, some, lanes);
      }
      while (row < m) {
        const count = min(block, m - row);
        const from = a + ((<usize>row * depth + k) << 2);
        const to = out + (<usize>start << 2) + <usize>row * outStep;
        const step = direct ? outStep : width;
        if (!direct && k != 0) copyLanes(to, outStep, ragged, width, count, lanes);
        gemm(width, k == 0, false, from, aStep, 0, direct ? to : ragged, step, 0, count, 1, panel, zeros, some);
        if (!direct) copyLanes(ragged, width, to, outStep, count, lanes);
        row += count;
        const isLast = row == m && k + some == depth && start + 16 >= n;
        if (!isLast && spent(<u64>lanes * some * (2 * count + 6))) {
          save(batch, start, row, k);
          return YIELD;
        }
      }
    }
  }
  return DONE;
}

function save(batch: u32, column: u32, row: u32, k: u32): void {
  setSlot(SLOT_BATCH, batch);
  setSlot(SLOT_COLUMN, column);
  setSlot(SLOT_ROW, row);
  setSlot(SLOT_DEPTH, k);
}
