import { loadTail, storeTail } from './lanes';
import { mac4 } from './mac';

/**
 * out[j] = sum of a[k] * b[k][j] for `n` >= 1 columns of a matrix in the order of its rows, `step` bytes
 * apart: 16 columns at a time, then 4. Unless `first`, adds to what stands at `out`. Reads up to 12
 * bytes behind a row.
 */
export function rowTimesMatrix(
  first: bool, a: usize, b: usize, step: usize, depth: u32, n: u32, out: usize,
): void {
  for (; n >= 16; n -= 16, b += 64, out += 64) columns16(first, a, b, step, depth, out);
  for (; n >= 4; n -= 4, b += 16, out += 16) {
    v128.store(out, columns4(first ? f32x4.splat(0) : v128.load(out), a, b, step, depth));
  }
  if (n != 0) storeTail(out, columns4(first ? f32x4.splat(0) : loadTail(out, n), a, b, step, depth), n);
}

function columns16(first: bool, a: usize, b: usize, step: usize, depth: u32, out: usize): void {
  let s0 = first ? f32x4.splat(0) : v128.load(out);
  let s1 = first ? s0 : v128.load(out, 16);
  let s2 = first ? s0 : v128.load(out, 32);
  let s3 = first ? s0 : v128.load(out, 48);
  let k = depth >>> 2;
  if (k != 0) do {
    const a0 = v128.load32_splat(a);
    const a1 = v128.load32_splat(a, 4);
    const a2 = v128.load32_splat(a, 8);
    const a3 = v128.load32_splat(a, 12);
    const b1 = b + step;
    const b2 = b1 + step;
    const b3 = b2 + step;
    s0 = mac4(s0, a0, a1, a2, a3, v128.load(b), v128.load(b1), v128.load(b2), v128.load(b3));
    s1 = mac4(s1, a0, a1, a2, a3, v128.load(b, 16), v128.load(b1, 16), v128.load(b2, 16), v128.load(b3, 16));
    s2 = mac4(s2, a0, a1, a2, a3, v128.load(b, 32), v128.load(b1, 32), v128.load(b2, 32), v128.load(b3, 32));
    s3 = mac4(s3, a0, a1, a2, a3, v128.load(b, 48), v128.load(b1, 48), v128.load(b2, 48), v128.load(b3, 48));
    a += 16;
    b = b3 + step;
  } while (--k);
  for (k = depth & 3; k != 0; k--, a += 4, b += step) {
    const a0 = v128.load32_splat(a);
    s0 = f32x4.add(s0, f32x4.mul(a0, v128.load(b)));
    s1 = f32x4.add(s1, f32x4.mul(a0, v128.load(b, 16)));
    s2 = f32x4.add(s2, f32x4.mul(a0, v128.load(b, 32)));
    s3 = f32x4.add(s3, f32x4.mul(a0, v128.load(b, 48)));
  }
  v128.store(out, s0);
  v128.store(out, s1, 16);
  v128.store(out, s2, 32);
  v128.store(out, s3, 48);
}

function columns4(sum: v128, a: usize, b: usize, step: usize, depth: u32): v128 {
  for (let k = depth; k != 0; k--, a += 4, b += step) {
    sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(a), v128.load(b)));
  }
  return sum;
}
