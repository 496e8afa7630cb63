import { loadTail, storeTail } from './lanes';
import { sumLanes } from './sum-lanes';

/**
 * Each of `rows` rows of n >= 1 floats to mean 0 and variance 1, times `scale` plus `bias` (n floats
 * each; `bias` may be 0). The variance is taken from the differences to the mean. `out` may be `x`.
 */
export function layerNormRows(
  x: usize, out: usize, rows: u32, n: u32, scale: usize, bias: usize, epsilon: f32,
): void {
  const tail = n & 3;
  const vectors: usize = (<usize>(n >>> 2)) << 4;
  const rowBytes = <usize>n << 2;
  for (; rows != 0; rows--, x += rowBytes, out += rowBytes) {
    const mean = rowSum(x, n) / <f32>n;
    const means = f32x4.splat(mean);
    let squares = f32x4.splat(0);
    for (let i: usize = 0; i < vectors; i += 16) {
      const d = f32x4.sub(v128.load(x + i), means);
      squares = f32x4.add(squares, f32x4.mul(d, d));
    }
    let square = sumLanes(squares);
    for (let i = vectors; i < rowBytes; i += 4) {
      const d = load<f32>(x + i) - mean;
      square += d * d;
    }
    const factor = f32x4.splat(<f32>1 / Mathf.sqrt(square / <f32>n + epsilon));
    if (bias != 0) {
      for (let i: usize = 0; i < vectors; i += 16) {
        const d = f32x4.mul(f32x4.sub(v128.load(x + i), means), factor);
        v128.store(out + i, f32x4.add(f32x4.mul(d, v128.load(scale + i)), v128.load(bias + i)));
      }
    } else {
      for (let i: usize = 0; i < vectors; i += 16) {
        const d = f32x4.mul(f32x4.sub(v128.load(x + i), means), factor);
        v128.store(out + i, f32x4.mul(d, v128.load(scale + i)));
      }
    }
    if (tail != 0) {
      const d = f32x4.mul(f32x4.sub(loadTail(x + vectors, tail), means), factor);
      let y = f32x4.mul(d, loadTail(scale + vectors, tail));
      if (bias != 0) y = f32x4.add(y, loadTail(bias + vectors, tail));
      storeTail(out + vectors, y, tail);
    }
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
