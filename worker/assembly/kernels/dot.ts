import { sumLanes } from './sum-lanes';

/**
 * out[j] = sum of a[k] * b[j][k] for `count` rows of b, `depth` floats each, `step` bytes apart. Unless
 * `first`, adds to what stands at `out`. Four rows at a time; any alignment.
 */
export function dotRows(
  first: bool, a: usize, b: usize, step: usize, depth: u32, count: u32, out: usize,
): void {
  for (; count >= 4; count -= 4, b += step << 2, out += 16) {
    let p = a;
    let p0 = b;
    let p1 = p0 + step;
    let p2 = p1 + step;
    let p3 = p2 + step;
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    let n = depth >>> 4;
    if (n != 0) do {
      const a0 = v128.load(p);
      const a1 = v128.load(p, 16);
      const a2 = v128.load(p, 32);
      const a3 = v128.load(p, 48);
      s0 = step16(s0, p0, a0, a1, a2, a3);
      s1 = step16(s1, p1, a0, a1, a2, a3);
      s2 = step16(s2, p2, a0, a1, a2, a3);
      s3 = step16(s3, p3, a0, a1, a2, a3);
      p += 64;
      p0 += 64;
      p1 += 64;
      p2 += 64;
      p3 += 64;
    } while (--n);
    let d0 = sumLanes(s0);
    let d1 = sumLanes(s1);
    let d2 = sumLanes(s2);
    let d3 = sumLanes(s3);
    for (n = depth & 15; n != 0; n--, p += 4, p0 += 4, p1 += 4, p2 += 4, p3 += 4) {
      const x = load<f32>(p);
      d0 += x * load<f32>(p0);
      d1 += x * load<f32>(p1);
      d2 += x * load<f32>(p2);
      d3 += x * load<f32>(p3);
    }
    if (!first) {
      d0 += load<f32>(out);
      d1 += load<f32>(out, 4);
      d2 += load<f32>(out, 8);
      d3 += load<f32>(out, 12);
    }
    store<f32>(out, d0);
    store<f32>(out, d1, 4);
    store<f32>(out, d2, 8);
    store<f32>(out, d3, 12);
  }
  for (; count != 0; count--, b += step, out += 4) {
    let d: f32 = 0;
    for (let k: usize = 0; k < <usize>depth << 2; k += 4) d += load<f32>(a + k) * load<f32>(b + k);
    store<f32>(out, first ? d : load<f32>(out) + d);
  }
}

@inline
function step16(sum: v128, p: usize, a0: v128, a1: v128, a2: v128, a3: v128): v128 {
  sum = f32x4.add(sum, f32x4.mul(a0, v128.load(p)));
  sum = f32x4.add(sum, f32x4.mul(a1, v128.load(p, 16)));
  sum = f32x4.add(sum, f32x4.mul(a2, v128.load(p, 32)));
  return f32x4.add(sum, f32x4.mul(a3, v128.load(p, 48)));
}
