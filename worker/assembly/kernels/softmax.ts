import { exp4 } from './exp';
import { loadTail, storeTail } from './lanes';
import { maxLanes, sumLanes } from './sum-lanes';

/** Softmax of each of `rows` rows of n >= 1 floats; `out` may be `x`. */
export function softmaxRows(x: usize, out: usize, rows: u32, n: u32): void {
  const rowBytes = <usize>n << 2;
  for (; rows != 0; rows--, x += rowBytes, out += rowBytes) {
    scaleRow(out, n, <f32>1 / rowExp(x, out, n, rowMax(x, n)));
  }
}

/** out = e ** (x - biggest) for n floats; returns their sum. */
export function rowExp(x: usize, out: usize, n: u32, biggest: f32): f32 {
  const tail = n & 3;
  const most = f32x4.splat(biggest);
  let sum = f32x4.splat(0);
  const end = x + ((<usize>(n >>> 2)) << 4);
  while (x < end) {
    const e = exp4(f32x4.sub(v128.load(x), most));
    sum = f32x4.add(sum, e);
    v128.store(out, e);
    x += 16;
    out += 16;
  }
  let total = sumLanes(sum);
  if (tail != 0) {
    const e = exp4(f32x4.sub(loadTail(x, tail), most));
    total += f32x4.extract_lane(e, 0);
    if (tail > 1) total += f32x4.extract_lane(e, 1);
    if (tail > 2) total += f32x4.extract_lane(e, 2);
    storeTail(out, e, tail);
  }
  return total;
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

/** Multiplies n floats by `factor`. */
export function scaleRow(x: usize, n: u32, factor: f32): void {
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
  columnsMax(true, biggest, x, n, step, lanes);
  columnsExp(true, sums, biggest, x, out, n, step, lanes);
  scaleColumns(sums, out, n, step, lanes);
}

/** Four lanes each, for the columns under way. */
const biggest: usize = memory.data(16, 16);
const sums: usize = memory.data(16, 16);

/** Largest of n rows, and of what stands at `to` unless `first`, to there. */
export function columnsMax(first: bool, to: usize, x: usize, n: u32, step: usize, lanes: u32): void {
  let most = first ? loadLanes(x, lanes) : v128.load(to);
  for (; n != 0; n--, x += step) most = f32x4.pmax(most, loadLanes(x, lanes));
  v128.store(to, most);
}

/** out = e ** (x - the largest) for n rows; their sum, and what stands at `to` unless `first`, to there. */
export function columnsExp(
  first: bool, to: usize, largest: usize, x: usize, out: usize, n: u32, step: usize, lanes: u32,
): void {
  const most = v128.load(largest);
  let sum = first ? f32x4.splat(0) : v128.load(to);
  for (; n != 0; n--, x += step, out += step) {
    const e = exp4(f32x4.sub(loadLanes(x, lanes), most));
    sum = f32x4.add(sum, e);
    storeLanes(out, e, lanes);
  }
  v128.store(to, sum);
}

/** Divides n rows by the sums at `sum`. */
export function scaleColumns(sum: usize, out: usize, n: u32, step: usize, lanes: u32): void {
  const factor = f32x4.div(f32x4.splat(1), v128.load(sum));
  for (; n != 0; n--, out += step) storeLanes(out, f32x4.mul(loadLanes(out, lanes), factor), lanes);
}

function loadLanes(p: usize, lanes: u32): v128 {
  return lanes == 4 ? v128.load(p) : loadTail(p, lanes);
}

function storeLanes(p: usize, x: v128, lanes: u32): void {
  if (lanes == 4) v128.store(p, x);
  else storeTail(p, x, lanes);
}
