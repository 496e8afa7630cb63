import { ReduceKind } from '../generated/constants';
import { rowSum } from './layer-norm';
import { loadTail, storeTail } from './lanes';
import { rowMax } from './softmax';

/** One of sum, max, min, prod, sumSquare of n >= 1 floats in a row. */
export function reduceRow(kind: u32, x: usize, n: u32): f32 {
  if (kind == ReduceKind.sum) return rowSum(x, n);
  if (kind == ReduceKind.max) return rowMax(x, n);
  const end = x + (<usize>n << 2);
  let result = load<f32>(x);
  if (kind == ReduceKind.sumSquare) {
    result = result * result;
    for (let p = x + 4; p < end; p += 4) {
      const value = load<f32>(p);
      result += value * value;
    }
  } else if (kind == ReduceKind.min) {
    for (let p = x + 4; p < end; p += 4) {
      const value = load<f32>(p);
      if (value < result || value != value) result = value;
    }
  } else {
    for (let p = x + 4; p < end; p += 4) result *= load<f32>(p);
  }
  return result;
}

@inline
function merge(kind: u32, sum: v128, x: v128): v128 {
  if (kind == ReduceKind.sum) return f32x4.add(sum, x);
  if (kind == ReduceKind.max) return f32x4.max(sum, x);
  if (kind == ReduceKind.min) return f32x4.min(sum, x);
  if (kind == ReduceKind.prod) return f32x4.mul(sum, x);
  return f32x4.add(sum, f32x4.mul(x, x));
}

/** Two results of {@link reduceRow} for parts of one row, made one. */
export function joinRows(kind: u32, a: f32, b: f32): f32 {
  if (kind == ReduceKind.max) return max(a, b);
  if (kind == ReduceKind.min) return min(a, b);
  return kind == ReduceKind.prod ? a * b : a + b;
}

/** Down `lanes` columns of n rows, `step` bytes apart; on from what stands at `out` unless `first`. */
@inline
function columns(kind: u32, first: bool, x: usize, n: u32, step: usize, count: u32, out: usize): void {
  for (let c = count; c != 0; ) {
    const lanes = min(c, 4);
    let p = x;
    let i = n;
    let sum: v128;
    if (first) {
      const top = lanes == 4 ? v128.load(p) : loadTail(p, lanes);
      sum = kind == ReduceKind.sumSquare ? f32x4.mul(top, top) : top;
      p += step;
      i--;
    } else sum = lanes == 4 ? v128.load(out) : loadTail(out, lanes);
    if (lanes == 4) {
      for (; i != 0; i--, p += step) sum = merge(kind, sum, v128.load(p));
      v128.store(out, sum);
    } else {
      for (; i != 0; i--, p += step) sum = merge(kind, sum, loadTail(p, lanes));
      storeTail(out, sum, lanes);
    }
    c -= lanes;
    x += 16;
    out += 16;
  }
}

// One function a kind: the compiler makes constants of the kinds only where bodies stay apart.
function sums(first: bool, x: usize, n: u32, step: usize, count: u32, out: usize): void {
  columns(ReduceKind.sum, first, x, n, step, count, out);
}
function largest(first: bool, x: usize, n: u32, step: usize, count: u32, out: usize): void {
  columns(ReduceKind.max, first, x, n, step, count, out);
}
function smallest(first: bool, x: usize, n: u32, step: usize, count: u32, out: usize): void {
  columns(ReduceKind.min, first, x, n, step, count, out);
}
function products(first: bool, x: usize, n: u32, step: usize, count: u32, out: usize): void {
  columns(ReduceKind.prod, first, x, n, step, count, out);
}
function squares(first: bool, x: usize, n: u32, step: usize, count: u32, out: usize): void {
  columns(ReduceKind.sumSquare, first, x, n, step, count, out);
}

/**
 * out[c] = one of sum, max, min, prod, sumSquare of x[0..n)[c] for `count` columns; n >= 1 rows, `step`
 * bytes apart. Unless `first`, what stands at `out` is a part of the result already.
 */
export function reduceColumns(
  kind: u32, first: bool, x: usize, n: u32, step: usize, count: u32, out: usize,
): void {
  if (kind == ReduceKind.sum) sums(first, x, n, step, count, out);
  else if (kind == ReduceKind.max) largest(first, x, n, step, count, out);
  else if (kind == ReduceKind.min) smallest(first, x, n, step, count, out);
  else if (kind == ReduceKind.prod) products(first, x, n, step, count, out);
  else squares(first, x, n, step, count, out);
}

/** As {@link reduceColumns} for numbers of any type. */
export function reduceScalars<T>(
  kind: u32, first: bool, x: usize, n: u32, step: usize, count: u32, out: usize,
): void {
  const squares = kind == ReduceKind.sumSquare;
  for (let c: u32 = 0; c < count; c++, x += sizeof<T>(), out += sizeof<T>()) {
    let p = x;
    let i = n;
    let result = load<T>(first ? p : out);
    if (first) {
      if (squares) result = <T>(result * result);
      p += step;
      i--;
    }
    for (; i != 0; i--, p += step) {
      const value = load<T>(p);
      if (kind == ReduceKind.max) result = value > result || value != value ? value : result;
      else if (kind == ReduceKind.min) result = value < result || value != value ? value : result;
      else if (kind == ReduceKind.prod) result = <T>(result * value);
      else result = <T>(result + (squares ? <T>(value * value) : value));
    }
    store<T>(out, result);
  }
}
