import { CanisterError, DType } from '../generated/constants';
import { sumWords, widenRows } from '../kernels/integer-rows';
import { spent } from '../tensor/budget';
import { number, text } from '../tensor/errors';
import {
  failInput, failInputs, failNode, hasInput, input, output, outputAlloc, progress, setProgress, setSlot, slot,
} from '../tensor/node';
import { Tensor } from '../tensor/tensor';
import { integerLinearK, integerLinearN, integerLinearTo, integerLinearUnsigned } from './generated/attributes';
import {
  checkParameters, isBytes, isUnderWay, leftZero, multiplyRows, needsRowSums, packedBytes, packedRoom,
  packMatrix, prepareProduct, resultBytes, rowAt, rowsOf, setRowSum,
} from './integer-product';
import { DONE, FAILED, YIELD } from './status';

const SLOT_BATCH: u32 = 0;
const SLOT_ROW: u32 = 1;
const SLOT_PACKED: u32 = 2;

let m: u32 = 0;
let n: u32 = 0;
let depth: u32 = 0;

/** A [.., K] x W [.., K, N], each less its zero point; then what the type of the result says. */
export function integerLinear(): i32 {
  const a = input(0);
  const b = input(1);
  const packed = integerLinearN() != 0;
  if (!isBytes(a.dtype) || a.rank == 0 || !hasInput(1) || !isBytes(b.dtype) || b.rank == 0) {
    failInput(isBytes(a.dtype) && a.rank > 0 ? 1 : 0, 'int8 or uint8 with at least one dimension');
    return FAILED;
  }
  depth = a.dim(a.rank - 1);
  m = packed ? a.product(0, a.rank - 1) : a.rank == 1 ? 1 : a.dim(a.rank - 2);
  n = packed ? integerLinearN() : b.rank == 1 ? 1 : b.dim(b.rank - 1);
  if (progress == 0 && !begin(a, b, packed)) return FAILED;
  const first = progress == 1;
  if (output(0).byteLength == 0) return DONE;
  const unsigned = packed ? integerLinearUnsigned() : b.dtype == DType.uint8;
  const batch = packed ? 1 : output(0).count() / (m * n);
  // One matrix on the right for all on the left: their rows are rows of one product.
  const single = packed || b.rank <= 2;
  if (single) m = a.count() / max<u32>(depth, 1);
  if (!prepareProduct(integerLinearTo(), m, depth, n, 1, unsigned ? 128 : 0, first)) return FAILED;
  setProgress(2);
  return batches(a, b, single ? 1 : batch, packed, unsigned ? 0x80 : 0);
}

function begin(a: Tensor, b: Tensor, packed: bool): bool {
  const out = output(0);
  let rank = a.rank;
  if (packed) {
    if (depth != integerLinearK() || <u64>b.byteLength != packedBytes(depth, n)) {
      failNode(CanisterError.badShard);
      text('weights of ');
      number(packedBytes(depth, n));
      text(' bytes expected');
      return false;
    }
    out.shapeLike(a);
    out.setDim(a.rank - 1, n);
  } else {
    if (depth != b.dim(b.rank == 1 ? 0 : b.rank - 2)) {
      failInputs(0, 1, 'inner dimensions must be equal');
      return false;
    }
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
    rank = outer;
    if (a.rank > 1) out.setDim(rank++, m);
    if (b.rank > 1) out.setDim(rank++, n);
  }
  if (!checkParameters(integerLinearTo(), n)) return false;
  if (depth == 0) {
    failInput(0, 'of at least one number a row');
    return false;
  }
  setProgress(1);
  return outputAlloc(0, integerLinearTo(), rank);
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

function batches(a: Tensor, b: Tensor, count: u32, packed: bool, flip: u32): i32 {
  const signed = a.dtype == DType.int8;
  const zero = leftZero();
  const step = <usize>n * resultBytes();
  let w = b.data;
  if (!packed) {
    w = packedRoom(depth, n, 1);
    if (w == 0) return FAILED;
  }
  for (let batch = slot(SLOT_BATCH); batch < count; batch++) {
    if (!packed && slot(SLOT_PACKED) == 0) {
      const right = b.data + <usize>matrixIndex(b, batch) * depth * n;
      if (!packMatrix(right, n, 1, depth, n, flip, w)) return suspended(batch);
      setSlot(SLOT_PACKED, 1);
    }
    const left = a.data + (count == 1 ? 0 : <usize>matrixIndex(a, batch) * m * depth);
    const out = output(0).data + <usize>batch * m * step;
    for (let row = slot(SLOT_ROW); row < m; ) {
      const some = rowsOf(m - row);
      if (!isUnderWay()) {
        // Words behind the end of a row meet weights of 0.
        widenRows(signed, left + <usize>row * depth, depth, some, depth, rowAt(0), rowAt(1) - rowAt(0), zero);
        if (needsRowSums()) for (let r: u32 = 0; r < some; r++) setRowSum(r, sumWords(rowAt(r), depth));
      }
      if (!multiplyRows(some, n, w, 0, out + row * step, step)) return suspended(batch);
      row += some;
      setSlot(SLOT_ROW, row);
      if (row < m && spent(<u64>some * (n * (8 + min<u32>(depth, 256)) + depth * 2))) return suspended(batch);
    }
    setSlot(SLOT_ROW, 0);
    setSlot(SLOT_PACKED, 0);
  }
  return DONE;
}

function suspended(batch: u32): i32 {
  setSlot(SLOT_BATCH, batch);
  return YIELD;
}
