import { CanisterError, DType, ReduceKind, UnaryKind } from '../generated/constants';
import { joinRows, reduceColumns, reduceIntegers, reduceRow } from '../kernels/reduce';
import { unary } from '../kernels/unary';
import { text } from '../tensor/errors';
import {
  failInput, failNode, input, output, outputAlloc, progress, setProgress, setSlot, slot, temporary,
} from '../tensor/node';
import { dtypeBytes, Tensor } from '../tensor/tensor';
import { resolveAxis } from './axes';
import { fillElements, unitsOfBlock, yieldsAt } from './blocks';
import { reduceAxes, reduceAxesCount, reduceKeepDims, reduceKind } from './generated/attributes';
import { DONE, FAILED, YIELD } from './status';

/** Slots: run of axes under way, then outer index within it. Temporaries 0 and 1 hold what runs leave. */
const SLOT_RUN: u32 = 0;
const SLOT_OUTER: u32 = 1;
const SLOT_COLUMN: u32 = 2;
const SLOT_ROW: u32 = 3;
const SLOT_FINISHED: u32 = 4;
/** Progress of a node whose sums are there, but not yet what is made of them. */
const FINISHING: u32 = 2;
/** Elements above which one matrix is reduced in parts, and those of a part. */
const LARGE: u64 = 1 << 18;
const PART_ROWS: u32 = 1 << 17;
/** About what an element takes in the end. */
const COST: u64 = 8;

/** X without some of its axes; no axes: all. */
export function reduce(): i32 {
  const x = input(0);
  const kind = reduceKind();
  const mask = axesMask(x);
  if (mask < 0) return FAILED;
  if (progress == 0 && !begin(x, kind, mask)) return FAILED;
  const out = output(0);
  if (out.byteLength == 0) return DONE;
  if (x.count() == 0) return fillEmpty(out, kind);
  const count = out.byteLength >>> 2;
  if (progress != FINISHING) {
    const status = reduceRuns(x, kind, mask);
    if (status != DONE || x.dtype != DType.float32) return status;
    setProgress(FINISHING);
  }
  const unit = unitsOfBlock(COST) & ~3;
  for (let i = slot(SLOT_FINISHED); i < count; ) {
    const some = min(unit, count - i);
    const at = out.data + (<usize>i << 2);
    if (kind == ReduceKind.mean) {
      unary(UnaryKind.affine, at, at, some, <f32>1 / <f32>(x.count() / count), 0, 1, 0);
    } else if (kind == ReduceKind.l2) unary(UnaryKind.sqrt, at, at, some, 0, 0, 1, 0);
    else break;
    i += some;
    if (i < count && yieldsAt(SLOT_FINISHED, i, COST * some)) return YIELD;
  }
  return DONE;
}

/** Bit mask of the axes to reduce; -1 after a failure's text. */
function axesMask(x: Tensor): i32 {
  const count = reduceAxesCount();
  if (count == 0) return (1 << x.rank) - 1;
  let mask = 0;
  for (let i: u32 = 0; i < count; i++) {
    const axis = resolveAxis(reduceAxes(i), x.rank);
    if (axis < 0) {
      failInput(0, 'of a shape that has the axes of the node');
      return -1;
    }
    mask |= 1 << axis;
  }
  return mask;
}

function begin(x: Tensor, kind: u32, mask: i32): bool {
  const whole = x.dtype == DType.int64 || x.dtype == DType.int32;
  const forIntegers =
    kind == ReduceKind.sum || kind == ReduceKind.max || kind == ReduceKind.min || kind == ReduceKind.prod;
  if (kind > ReduceKind.l2 || (x.dtype != DType.float32 && !(whole && forIntegers))) {
    failInput(0, 'float32, or int64 or int32 for sum, max, min and prod');
    return false;
  }
  const out = output(0);
  let rank: u32 = 0;
  for (let i: u32 = 0; i < x.rank; i++) {
    const reduced = (mask & (1 << i)) != 0;
    if (!reduced) out.setDim(rank++, x.dim(i));
    else if (reduceKeepDims()) out.setDim(rank++, 1);
  }
  if (!outputAlloc(0, x.dtype, rank)) return false;
  setProgress(1);
  return true;
}

/** What onnxruntime makes of nothing: 0, also as a mean, 1 for products, the least number for the largest. */
function fillEmpty(out: Tensor, kind: u32): i32 {
  let bits: u64 = 0;
  if (out.dtype == DType.float32) {
    let value: f32 = 0;
    if (kind == ReduceKind.prod) value = 1;
    else if (kind == ReduceKind.max) value = -Infinity;
    else if (kind == ReduceKind.min) value = Infinity;
    bits = reinterpret<u32>(value);
  } else {
    const isLong = out.dtype == DType.int64;
    if (kind == ReduceKind.prod) bits = 1;
    else if (kind == ReduceKind.max) bits = isLong ? <u64>i64.MIN_VALUE : <u64>i32.MIN_VALUE;
    else if (kind == ReduceKind.min) bits = isLong ? <u64>i64.MAX_VALUE : <u64>i32.MAX_VALUE;
  }
  return fillElements(out.data, out.byteLength, dtypeBytes(out.dtype), bits) ? DONE : YIELD;
}

/**
 * Runs of neighbouring axes, the last first: each is [outer, n, inner] to [outer, inner]. All but the
 * last one to be done leave their result in a temporary.
 */
function reduceRuns(x: Tensor, kind: u32, mask: i32): i32 {
  let from = x.data;
  let inner: u32 = 1;
  let run: u32 = 0;
  // Sums follow the first run also where squares were summed up.
  const later = kind == ReduceKind.max || kind == ReduceKind.min || kind == ReduceKind.prod ? kind : ReduceKind.sum;
  const first = kind == ReduceKind.l2 || kind == ReduceKind.sumSquare ? ReduceKind.sumSquare : later;
  let to = <i32>x.rank;
  while (true) {
    while (to > 0 && (mask & (1 << (to - 1))) == 0) inner *= x.dim(--to);
    let start = to;
    while (start > 0 && (mask & (1 << (start - 1))) != 0) start--;
    const isLast = (mask & ((1 << start) - 1)) == 0;
    const n = x.product(start, to);
    const outer = x.product(0, start);
    let target = output(0).data;
    if (!isLast) {
      target = temporary(run & 1, <usize>outer * inner * dtypeBytes(x.dtype));
      if (target == 0) return FAILED;
    }
    if (run >= slot(SLOT_RUN)) {
      if (!reduceRun(run == 0 ? first : later, x.dtype, from, target, outer, n, inner)) return YIELD;
      setSlot(SLOT_RUN, run + 1);
      setSlot(SLOT_OUTER, 0);
    }
    if (isLast) return DONE;
    from = target;
    to = start;
    run++;
  }
}

/** False where it yields. */
function reduceRun(kind: u32, type: u32, x: usize, out: usize, outer: u32, n: u32, inner: u32): bool {
  const bytes = <usize>dtypeBytes(type);
  for (let o = slot(SLOT_OUTER); o < outer; o++) {
    const from = x + <usize>o * n * inner * bytes;
    const to = out + <usize>o * inner * bytes;
    if (<u64>n * inner <= LARGE) {
      if (inner == 1 && type == DType.float32) store<f32>(to, reduceRow(kind, from, n));
      else reducePart(kind, type, true, from, n, inner, inner, to);
      if (o + 1 < outer && yieldsAt(SLOT_OUTER, o + 1, <u64>n * inner * costOf(type) + 150)) return false;
    } else if (!reduceLarge(kind, type, from, n, inner, to)) {
      setSlot(SLOT_OUTER, o);
      return false;
    }
  }
  return true;
}

/** About what an element takes. */
@inline
function costOf(type: u32): u64 {
  return type == DType.float32 ? 10 : 20;
}

/** `n` rows of `count` columns of a matrix with `inner`, from its first row or on. */
function reducePart(
  kind: u32, type: u32, first: bool, from: usize, n: u32, inner: u32, count: u32, to: usize,
): void {
  const step = <usize>inner * dtypeBytes(type);
  if (type == DType.int64) reduceIntegers<i64>(kind, first, from, n, step, count, to);
  else if (type == DType.int32) reduceIntegers<i32>(kind, first, from, n, step, count, to);
  else if (inner == 1) {
    const result = reduceRow(kind, from, n);
    store<f32>(to, first ? result : joinRows(kind, load<f32>(to), result));
  } else reduceColumns(kind, first, from, n, step, count, to);
}

/** [n, inner] to [inner] in blocks: some columns, down all rows in parts. False where it yields. */
function reduceLarge(kind: u32, type: u32, from: usize, n: u32, inner: u32, to: usize): bool {
  const bytes = <usize>dtypeBytes(type);
  const height = min(n, PART_ROWS);
  const width = max(4, (PART_ROWS / height) & ~3);
  for (let c = slot(SLOT_COLUMN); c < inner; c += width) {
    const count = min(width, inner - c);
    const column = <usize>c * bytes;
    for (let row = slot(SLOT_ROW); row < n; ) {
      const some = min(height, n - row);
      const at = from + <usize>row * inner * bytes + column;
      reducePart(kind, type, row == 0, at, some, inner, count, to + column);
      row += some;
      if (yieldsAt(SLOT_ROW, row, <u64>some * max(count, 2) * costOf(type))) {
        setSlot(SLOT_COLUMN, c);
        return false;
      }
    }
    setSlot(SLOT_ROW, 0);
  }
  setSlot(SLOT_COLUMN, 0);
  return true;
}
