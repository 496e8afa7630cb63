import { sumLanes } from './sum-lanes';

/**
 * Each of `rows` rows of n >= 1 floats to mean 0 and variance 1, times `scale` plus `bias` (n floats
 * each; `bias` may be 0). The variance is taken from the differences to the mean. `out` may be `x`.
 * Three passes over a row, 16 floats a turn, then one by one.
 */
export function layerNormRows(
  x: usize, out: usize, rows: u32, n: u32, scale: usize, bias: usize, epsilon: f32,
): void {
  const rowBytes = <usize>n << 2;
  for (; rows != 0; rows--, x += rowBytes, out += rowBytes) {
    const mean = rowSum(x, n) / <f32>n;
    const factor = rowFactor(squaredDifferences(x, n, mean), n, epsilon);
    normaliseRow(x, out, n, mean, factor, scale, bias);
  }
}

/** What makes the variance of a row 1, of the sum of squared differences of its n floats. */
@inline
export function rowFactor(squares: f32, n: u32, epsilon: f32): f32 {
  return <f32>1 / Mathf.sqrt(squares / <f32>n + epsilon);
}

/** out = (x - mean) * factor * scale + bias for n floats; `bias` may be 0. */
export function normaliseRow(
  x: usize, out: usize, n: u32, mean: f32, factor: f32, scale: usize, bias: usize,
): void {
  if (bias != 0) normaliseBiased(x, out, n, mean, factor, scale, bias);
  else normalise(x, out, n, mean, factor, scale);
}

@inline
function square(x: v128): v128 {
  return f32x4.mul(x, x);
}

/** Sum of (x - mean)^2. */
export function squaredDifferences(x: usize, n: u32, mean: f32): f32 {
  const means = f32x4.splat(mean);
  let sum = f32x4.splat(0);
  let m = n >>> 4;
  if (m != 0) do {
    sum = f32x4.add(sum, square(f32x4.sub(v128.load(x), means)));
    sum = f32x4.add(sum, square(f32x4.sub(v128.load(x, 16), means)));
    sum = f32x4.add(sum, square(f32x4.sub(v128.load(x, 32), means)));
    sum = f32x4.add(sum, square(f32x4.sub(v128.load(x, 48), means)));
    x += 64;
  } while (--m);
  let total = sumLanes(sum);
  for (m = n & 15; m != 0; m--, x += 4) {
    const d = load<f32>(x) - mean;
    total += d * d;
  }
  return total;
}

@inline
function normalised(x: v128, mean: v128, factor: v128, scale: v128): v128 {
  return f32x4.mul(f32x4.mul(f32x4.sub(x, mean), factor), scale);
}

function normaliseBiased(
  x: usize, out: usize, n: u32, mean: f32, factor: f32, scale: usize, bias: usize,
): void {
  const m = f32x4.splat(mean);
  const f = f32x4.splat(factor);
  let turns = n >>> 4;
  if (turns != 0) do {
    const a = normalised(v128.load(x), m, f, v128.load(scale));
    v128.store(out, f32x4.add(a, v128.load(bias)));
    const b = normalised(v128.load(x, 16), m, f, v128.load(scale, 16));
    v128.store(out, f32x4.add(b, v128.load(bias, 16)), 16);
    const c = normalised(v128.load(x, 32), m, f, v128.load(scale, 32));
    v128.store(out, f32x4.add(c, v128.load(bias, 32)), 32);
    const d = normalised(v128.load(x, 48), m, f, v128.load(scale, 48));
    v128.store(out, f32x4.add(d, v128.load(bias, 48)), 48);
    x += 64;
    out += 64;
    scale += 64;
    bias += 64;
  } while (--turns);
  for (turns = n & 15; turns != 0; turns--, x += 4, out += 4, scale += 4, bias += 4) {
    store<f32>(out, (load<f32>(x) - mean) * factor * load<f32>(scale) + load<f32>(bias));
  }
}

function normalise(x: usize, out: usize, n: u32, mean: f32, factor: f32, scale: usize): void {
  const m = f32x4.splat(mean);
  const f = f32x4.splat(factor);
  let turns = n >>> 4;
  if (turns != 0) do {
    v128.store(out, normalised(v128.load(x), m, f, v128.load(scale)));
    v128.store(out, normalised(v128.load(x, 16), m, f, v128.load(scale, 16)), 16);
    v128.store(out, normalised(v128.load(x, 32), m, f, v128.load(scale, 32)), 32);
    v128.store(out, normalised(v128.load(x, 48), m, f, v128.load(scale, 48)), 48);
    x += 64;
    out += 64;
    scale += 64;
  } while (--turns);
  for (turns = n & 15; turns != 0; turns--, x += 4, out += 4, scale += 4) {
    store<f32>(out, (load<f32>(x) - mean) * factor * load<f32>(scale));
  }
}

/** Sum of n floats, in four lanes. */
export function rowSum(x: usize, n: u32): f32 {
  let sum = f32x4.splat(0);
  let m = n >>> 4;
  if (m != 0) do {
    sum = f32x4.add(f32x4.add(sum, v128.load(x)), v128.load(x, 16));
    sum = f32x4.add(f32x4.add(sum, v128.load(x, 32)), v128.load(x, 48));
    x += 64;
  } while (--m);
  let total = sumLanes(sum);
  for (m = n & 15; m != 0; m--, x += 4) total += load<f32>(x);
  return total;
}
