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

/** Down the columns of n >= 1 rows of `inner` floats, a row after the other. */
@inline
function columns(kind: u32, x: usize, n: u32, inner: u32, out: usize): void {
  const step = <usize>inner << 2;
  for (let c = inner; c != 0; ) {
    const lanes = min(c, 4);
    let p = x;
    const first = lanes == 4 ? v128.load(p) : loadTail(p, lanes);
    let sum = kind == ReduceKind.sumSquare ? f32x4.mul(first, first) : first;
    if (lanes == 4) {
      for (let i = n - 1; i != 0; i--) {
        p += step;
        sum = merge(kind, sum, v128.load(p));
      }
      v128.store(out, sum);
    } else {
      for (let i = n - 1; i != 0; i--) {
        p += step;
        sum = merge(kind, sum, loadTail(p, lanes));
      }
      storeTail(out, sum, lanes);
    }
    c -= lanes;
    x += 16;
    out += 16;
  }
}

function sums(x: usize, n: u32, inner: u32, out: usize): void {
  columns(ReduceKind.sum, x, n, inner, out);
}
function largest(x: usize, n: u32, inner: u32, out: usize): void {
  columns(ReduceKind.max, x, n, inner, out);
}
function smallest(x: usize, n: u32, inner: u32, out: usize): void {
  columns(ReduceKind.min, x, n, inner, out);
}
function products(x: usize, n: u32, inner: u32, out: usize): void {
  columns(ReduceKind.prod, x, n, inner, out);
}
function squares(x: usize, n: u32, inner: u32, out: usize): void {
  columns(ReduceKind.sumSquare, x, n, inner, out);
}

/** out[c] = one of sum, max, min, prod, sumSquare of x[0..n)[c], for rows of `inner` floats. */
export function reduceColumns(kind: u32, x: usize, n: u32, inner: u32, out: usize): void {
  if (kind == ReduceKind.sum) sums(x, n, inner, out);
  else if (kind == ReduceKind.max) largest(x, n, inner, out);
  else if (kind == ReduceKind.min) smallest(x, n, inner, out);
  else if (kind == ReduceKind.prod) products(x, n, inner, out);
  else squares(x, n, inner, out);
}

/** As {@link reduceColumns} for integers, any `inner`, without sumSquare. */
export function reduceIntegers<T>(kind: u32, x: usize, n: u32, inner: u32, out: usize): void {
  for (let c: u32 = 0; c < inner; c++) {
    let p = x + <usize>c * sizeof<T>();
    let result = load<T>(p);
    for (let i = n - 1; i != 0; i--) {
      p += <usize>inner * sizeof<T>();
      const value = load<T>(p);
      if (kind == ReduceKind.max) result = value > result ? value : result;
      else if (kind == ReduceKind.min) result = value < result ? value : result;
      else if (kind == ReduceKind.prod) result = <T>(result * value);
      else result = <T>(result + value);
    }
    store<T>(out + <usize>c * sizeof<T>(), result);
  }
}
