import { exp4 } from './exp';
import { loadTail, storeTail } from './lanes';
import { maxLanes, sumLanes } from './sum-lanes';

/** Softmax of each of `rows` rows of n >= 1 floats; `out` may be `x`. */
export function softmaxRows(x: usize, out: usize, rows: u32, n: u32): void {
  const tail = n & 3;
  const vectors: usize = (<usize>(n >>> 2)) << 4;
  const rowBytes = <usize>n << 2;
  for (; rows != 0; rows--, x += rowBytes, out += rowBytes) {
    const biggest = f32x4.splat(rowMax(x, n));
    let sum = f32x4.splat(0);
    const end = x + vectors;
    let p = x;
    let q = out;
    while (p < end) {
      const e = exp4(f32x4.sub(v128.load(p), biggest));
      sum = f32x4.add(sum, e);
      v128.store(q, e);
      p += 16;
      q += 16;
    }
    let total = sumLanes(sum);
    if (tail != 0) {
      const e = exp4(f32x4.sub(loadTail(p, tail), biggest));
      total += f32x4.extract_lane(e, 0);
      if (tail > 1) total += f32x4.extract_lane(e, 1);
      if (tail > 2) total += f32x4.extract_lane(e, 2);
      storeTail(q, e, tail);
    }
    scale(out, n, <f32>1 / total);
  }
}

/** Largest of n >= 1 floats. */
export function rowMax(x: usize, n: u32): f32 {
  let biggest = v128.load32_splat(x);
  let m = n >>> 4;
  if (m != 0) do {
    biggest = f32x4.pmax(f32x4.pmax(biggest, v128.load(x)), v128.load(x, 16));
    biggest = f32x4.pmax(f32x4.pmax(biggest, v128.load(x, 32)), v128.load(x, 48));
    x += 64;
  } while (--m);
  m = n & 15;
  if (m != 0) do {
    biggest = f32x4.pmax(biggest, v128.load32_splat(x));
    x += 4;
  } while (--m);
  return maxLanes(biggest);
}

function scale(x: usize, n: u32, factor: f32): void {
  const f = f32x4.splat(factor);
  let m = n >>> 4;
  if (m != 0) do {
    v128.store(x, f32x4.mul(v128.load(x), f));
    v128.store(x, f32x4.mul(v128.load(x, 16), f), 16);
    v128.store(x, f32x4.mul(v128.load(x, 32), f), 32);
    v128.store(x, f32x4.mul(v128.load(x, 48), f), 48);
    x += 64;
  } while (--m);
  m = n & 15;
  if (m != 0) do {
    store<f32>(x, load<f32>(x) * factor);
    x += 4;
  } while (--m);
}

/**
 * Softmax down the columns of [n, inner]: `lanes` (1 to 4) columns at `x`, a row `step` bytes after
 * the one before; `out` may be `x`.
 */
export function softmaxColumns(x: usize, out: usize, n: u32, step: usize, lanes: u32): void {
  let biggest = loadLanes(x, lanes);
  for (let i: u32 = 1, p = x + step; i < n; i++, p += step) biggest = f32x4.pmax(biggest, loadLanes(p, lanes));
  let sum = f32x4.splat(0);
  let q = out;
  for (let i: u32 = 0, p = x; i < n; i++, p += step, q += step) {
    const e = exp4(f32x4.sub(loadLanes(p, lanes), biggest));
    sum = f32x4.add(sum, e);
    storeLanes(q, e, lanes);
  }
  const factor = f32x4.div(f32x4.splat(1), sum);
  q = out;
  for (let i: u32 = 0; i < n; i++, q += step) storeLanes(q, f32x4.mul(loadLanes(q, lanes), factor), lanes);
}

function loadLanes(p: usize, lanes: u32): v128 {
  return lanes == 4 ? v128.load(p) : loadTail(p, lanes);
}

function storeLanes(p: usize, x: v128, lanes: u32): void {
  if (lanes == 4) v128.store(p, x);
  else storeTail(p, x, lanes);
}
