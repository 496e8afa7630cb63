import { CanisterError, DType, ReduceKind, UnaryKind } from '../generated/constants';
import { reduceColumns, reduceIntegers, reduceRow } from '../kernels/reduce';
import { unary } from '../kernels/unary';
import { spent } from '../tensor/budget';
import { text } from '../tensor/errors';
import {
  attr, attrCount, failInput, failNode, input, output, outputAlloc, progress, setProgress, setSlot, slot, temporary,
} from '../tensor/node';
import { dtypeBytes, Tensor } from '../tensor/tensor';
import { resolveAxis } from './axes';
import { DONE, FAILED, YIELD } from './status';

/** Slots: run of axes under way, then outer index within it. Temporaries 0 and 1 hold what runs leave. */
const SLOT_RUN: u32 = 0;
const SLOT_OUTER: u32 = 1;

/** X. Words: ReduceKind, keepDims, axis count, axes. No axes: all. */
export function reduce(): i32 {
  const x = input(0);
  const kind = <u32>attr(0);
  const mask = axesMask(x);
  if (mask < 0) return FAILED;
  if (progress == 0 && !begin(x, kind, mask)) return FAILED;
  const out = output(0);
  if (out.byteLength == 0) return DONE;
  if (x.byteLength == 0) return fillEmpty(out, kind);
  const status = reduceRuns(x, kind, mask);
  if (status != DONE || x.dtype != DType.float32) return status;
  const count = out.byteLength >>> 2;
  if (kind == ReduceKind.mean) {
    unary(UnaryKind.affine, out.data, out.data, count, <f32>1 / <f32>(x.count() / count), 0, 1, 0);
  } else if (kind == ReduceKind.l2) unary(UnaryKind.sqrt, out.data, out.data, count, 0, 0, 1, 0);
  return DONE;
}

/** Bit mask of the axes to reduce; -1 after a failure's text. */
function axesMask(x: Tensor): i32 {
  const count = <u32>attr(2);
  if (attrCount != 3 + count) {
    failNode(CanisterError.badShard);
    text('3 attribute words and the axes expected');
    return -1;
  }
  if (count == 0) return (1 << x.rank) - 1;
  let mask = 0;
  for (let i: u32 = 0; i < count; i++) {
    const axis = resolveAxis(attr(3 + i), x.rank);
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
    else if (attr(1) != 0) out.setDim(rank++, 1);
  }
  if (!outputAlloc(0, x.dtype, rank)) return false;
  setProgress(1);
  if (x.byteLength == 0 && (kind == ReduceKind.max || kind == ReduceKind.min) && out.byteLength != 0) {
    failInput(0, 'not empty along the axes to reduce');
    return false;
  }
  return true;
}

/** What the reduction of nothing gives: 0, 1 for products, NaN for means. */
function fillEmpty(out: Tensor, kind: u32): i32 {
  for (let i: u32 = 0; i < out.count(); i++) {
    if (out.dtype == DType.float32) {
      const value: f32 = kind == ReduceKind.prod ? 1 : kind == ReduceKind.mean ? NaN : 0;
      store<f32>(out.data + (<usize>i << 2), value);
    } else if (out.dtype == DType.int32) store<i32>(out.data + (<usize>i << 2), i32(kind == ReduceKind.prod));
    else store<i64>(out.data + (<usize>i << 3), i64(kind == ReduceKind.prod));
  }
  return DONE;
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
    if (type == DType.int64) reduceIntegers<i64>(kind, from, n, inner, to);
    else if (type == DType.int32) reduceIntegers<i32>(kind, from, n, inner, to);
    else if (inner == 1) store<f32>(to, reduceRow(kind, from, n));
    else reduceColumns(kind, from, n, inner, to);
    if (o + 1 < outer && spent(<u64>n * inner * 4 + 40)) {
      setSlot(SLOT_OUTER, o + 1);
      return false;
    }
  }
  return true;
}
