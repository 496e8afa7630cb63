import { clampHigh, clampLow } from './clamp';
import { mac4, mac8 } from './mac';
import { Panel12, Panel16, Panel4, Panel8 } from './panel';

/**
 * out[y][x][lanes] += in[y][x][0..depth) * w[0..depth)[lanes] for all pixels of a rectangle; instead of
 * adding to `out` begins with `bias` where `first`, and clamps what it stores where `clamp`. The weights
 * stay in locals while all pixels pass by. Steps are bytes; any alignment; nx, ny >= 1.
 *
 * P is the width of the panel (./panel), D the depth (./depth). Conditions on both fold, and so do the
 * copies that stand for weights a narrower panel or a shallower piece has not: each pair of types
 * becomes a loop without branches that loads what it needs alone.
 */
@inline
function body<P, D>(
  first: bool, clamp: bool,
  a: usize, aStepX: usize, aStepY: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, bias: usize,
): void {
  const width = offsetof<P>();
  const depth = offsetof<D>();
  const a0 = v128.load(w, 0 * offsetof<P>());
  const a1 = depth > 1 ? v128.load(w, 1 * offsetof<P>()) : a0;
  const a2 = depth > 2 ? v128.load(w, 2 * offsetof<P>()) : a0;
  const a3 = depth > 3 ? v128.load(w, 3 * offsetof<P>()) : a0;
  const a4 = depth > 4 ? v128.load(w, 4 * offsetof<P>()) : a0;
  const a5 = depth > 5 ? v128.load(w, 5 * offsetof<P>()) : a0;
  const a6 = depth > 6 ? v128.load(w, 6 * offsetof<P>()) : a0;
  const a7 = depth > 7 ? v128.load(w, 7 * offsetof<P>()) : a0;
  const a8 = depth > 8 ? v128.load(w, 8 * offsetof<P>()) : a0;
  const a9 = depth > 9 ? v128.load(w, 9 * offsetof<P>()) : a0;
  const a10 = depth > 10 ? v128.load(w, 10 * offsetof<P>()) : a0;
  const a11 = depth > 11 ? v128.load(w, 11 * offsetof<P>()) : a0;
  const a12 = depth > 12 ? v128.load(w, 12 * offsetof<P>()) : a0;
  const a13 = depth > 13 ? v128.load(w, 13 * offsetof<P>()) : a0;
  const a14 = depth > 14 ? v128.load(w, 14 * offsetof<P>()) : a0;
  const a15 = depth > 15 ? v128.load(w, 15 * offsetof<P>()) : a0;
  const a16 = depth > 16 ? v128.load(w, 16 * offsetof<P>()) : a0;
  const a17 = depth > 17 ? v128.load(w, 17 * offsetof<P>()) : a0;
  const a18 = depth > 18 ? v128.load(w, 18 * offsetof<P>()) : a0;
  const a19 = depth > 19 ? v128.load(w, 19 * offsetof<P>()) : a0;
  const a20 = depth > 20 ? v128.load(w, 20 * offsetof<P>()) : a0;
  const a21 = depth > 21 ? v128.load(w, 21 * offsetof<P>()) : a0;
  const a22 = depth > 22 ? v128.load(w, 22 * offsetof<P>()) : a0;
  const a23 = depth > 23 ? v128.load(w, 23 * offsetof<P>()) : a0;
  const a24 = depth > 24 ? v128.load(w, 24 * offsetof<P>()) : a0;
  const a25 = depth > 25 ? v128.load(w, 25 * offsetof<P>()) : a0;
  const a26 = depth > 26 ? v128.load(w, 26 * offsetof<P>()) : a0;
  const a27 = depth > 27 ? v128.load(w, 27 * offsetof<P>()) : a0;
  const a28 = depth > 28 ? v128.load(w, 28 * offsetof<P>()) : a0;
  const a29 = depth > 29 ? v128.load(w, 29 * offsetof<P>()) : a0;
  const a30 = depth > 30 ? v128.load(w, 30 * offsetof<P>()) : a0;
  const a31 = depth > 31 ? v128.load(w, 31 * offsetof<P>()) : a0;
  const b0 = width > 16 ? v128.load(w, 0 * offsetof<P>() + 16) : a0;
  const b1 = width > 16 && depth > 1 ? v128.load(w, 1 * offsetof<P>() + 16) : a0;
  const b2 = width > 16 && depth > 2 ? v128.load(w, 2 * offsetof<P>() + 16) : a0;
  const b3 = width > 16 && depth > 3 ? v128.load(w, 3 * offsetof<P>() + 16) : a0;
  const b4 = width > 16 && depth > 4 ? v128.load(w, 4 * offsetof<P>() + 16) : a0;
  const b5 = width > 16 && depth > 5 ? v128.load(w, 5 * offsetof<P>() + 16) : a0;
  const b6 = width > 16 && depth > 6 ? v128.load(w, 6 * offsetof<P>() + 16) : a0;
  const b7 = width > 16 && depth > 7 ? v128.load(w, 7 * offsetof<P>() + 16) : a0;
  const b8 = width > 16 && depth > 8 ? v128.load(w, 8 * offsetof<P>() + 16) : a0;
  const b9 = width > 16 && depth > 9 ? v128.load(w, 9 * offsetof<P>() + 16) : a0;
  const b10 = width > 16 && depth > 10 ? v128.load(w, 10 * offsetof<P>() + 16) : a0;
  const b11 = width > 16 && depth > 11 ? v128.load(w, 11 * offsetof<P>() + 16) : a0;
  const b12 = width > 16 && depth > 12 ? v128.load(w, 12 * offsetof<P>() + 16) : a0;
  const b13 = width > 16 && depth > 13 ? v128.load(w, 13 * offsetof<P>() + 16) : a0;
  const b14 = width > 16 && depth > 14 ? v128.load(w, 14 * offsetof<P>() + 16) : a0;
  const b15 = width > 16 && depth > 15 ? v128.load(w, 15 * offsetof<P>() + 16) : a0;
  const b16 = width > 16 && depth > 16 ? v128.load(w, 16 * offsetof<P>() + 16) : a0;
  const b17 = width > 16 && depth > 17 ? v128.load(w, 17 * offsetof<P>() + 16) : a0;
  const b18 = width > 16 && depth > 18 ? v128.load(w, 18 * offsetof<P>() + 16) : a0;
  const b19 = width > 16 && depth > 19 ? v128.load(w, 19 * offsetof<P>() + 16) : a0;
  const b20 = width > 16 && depth > 20 ? v128.load(w, 20 * offsetof<P>() + 16) : a0;
  const b21 = width > 16 && depth > 21 ? v128.load(w, 21 * offsetof<P>() + 16) : a0;
  const b22 = width > 16 && depth > 22 ? v128.load(w, 22 * offsetof<P>() + 16) : a0;
  const b23 = width > 16 && depth > 23 ? v128.load(w, 23 * offsetof<P>() + 16) : a0;
  const b24 = width > 16 && depth > 24 ? v128.load(w, 24 * offsetof<P>() + 16) : a0;
  const b25 = width > 16 && depth > 25 ? v128.load(w, 25 * offsetof<P>() + 16) : a0;
  const b26 = width > 16 && depth > 26 ? v128.load(w, 26 * offsetof<P>() + 16) : a0;
  const b27 = width > 16 && depth > 27 ? v128.load(w, 27 * offsetof<P>() + 16) : a0;
  const b28 = width > 16 && depth > 28 ? v128.load(w, 28 * offsetof<P>() + 16) : a0;
  const b29 = width > 16 && depth > 29 ? v128.load(w, 29 * offsetof<P>() + 16) : a0;
  const b30 = width > 16 && depth > 30 ? v128.load(w, 30 * offsetof<P>() + 16) : a0;
  const b31 = width > 16 && depth > 31 ? v128.load(w, 31 * offsetof<P>() + 16) : a0;
  const c0 = width > 32 ? v128.load(w, 0 * offsetof<P>() + 32) : a0;
  const c1 = width > 32 && depth > 1 ? v128.load(w, 1 * offsetof<P>() + 32) : a0;
  const c2 = width > 32 && depth > 2 ? v128.load(w, 2 * offsetof<P>() + 32) : a0;
  const c3 = width > 32 && depth > 3 ? v128.load(w, 3 * offsetof<P>() + 32) : a0;
  const c4 = width > 32 && depth > 4 ? v128.load(w, 4 * offsetof<P>() + 32) : a0;
  const c5 = width > 32 && depth > 5 ? v128.load(w, 5 * offsetof<P>() + 32) : a0;
  const c6 = width > 32 && depth > 6 ? v128.load(w, 6 * offsetof<P>() + 32) : a0;
  const c7 = width > 32 && depth > 7 ? v128.load(w, 7 * offsetof<P>() + 32) : a0;
  const c8 = width > 32 && depth > 8 ? v128.load(w, 8 * offsetof<P>() + 32) : a0;
  const c9 = width > 32 && depth > 9 ? v128.load(w, 9 * offsetof<P>() + 32) : a0;
  const c10 = width > 32 && depth > 10 ? v128.load(w, 10 * offsetof<P>() + 32) : a0;
  const c11 = width > 32 && depth > 11 ? v128.load(w, 11 * offsetof<P>() + 32) : a0;
  const c12 = width > 32 && depth > 12 ? v128.load(w, 12 * offsetof<P>() + 32) : a0;
  const c13 = width > 32 && depth > 13 ? v128.load(w, 13 * offsetof<P>() + 32) : a0;
  const c14 = width > 32 && depth > 14 ? v128.load(w, 14 * offsetof<P>() + 32) : a0;
  const c15 = width > 32 && depth > 15 ? v128.load(w, 15 * offsetof<P>() + 32) : a0;
  const c16 = width > 32 && depth > 16 ? v128.load(w, 16 * offsetof<P>() + 32) : a0;
  const c17 = width > 32 && depth > 17 ? v128.load(w, 17 * offsetof<P>() + 32) : a0;
  const c18 = width > 32 && depth > 18 ? v128.load(w, 18 * offsetof<P>() + 32) : a0;
  const c19 = width > 32 && depth > 19 ? v128.load(w, 19 * offsetof<P>() + 32) : a0;
  const c20 = width > 32 && depth > 20 ? v128.load(w, 20 * offsetof<P>() + 32) : a0;
  const c21 = width > 32 && depth > 21 ? v128.load(w, 21 * offsetof<P>() + 32) : a0;
  const c22 = width > 32 && depth > 22 ? v128.load(w, 22 * offsetof<P>() + 32) : a0;
  const c23 = width > 32 && depth > 23 ? v128.load(w, 23 * offsetof<P>() + 32) : a0;
  const c24 = width > 32 && depth > 24 ? v128.load(w, 24 * offsetof<P>() + 32) : a0;
  const c25 = width > 32 && depth > 25 ? v128.load(w, 25 * offsetof<P>() + 32) : a0;
  const c26 = width > 32 && depth > 26 ? v128.load(w, 26 * offsetof<P>() + 32) : a0;
  const c27 = width > 32 && depth > 27 ? v128.load(w, 27 * offsetof<P>() + 32) : a0;
  const c28 = width > 32 && depth > 28 ? v128.load(w, 28 * offsetof<P>() + 32) : a0;
  const c29 = width > 32 && depth > 29 ? v128.load(w, 29 * offsetof<P>() + 32) : a0;
  const c30 = width > 32 && depth > 30 ? v128.load(w, 30 * offsetof<P>() + 32) : a0;
  const c31 = width > 32 && depth > 31 ? v128.load(w, 31 * offsetof<P>() + 32) : a0;
  const d0 = width > 48 ? v128.load(w, 0 * offsetof<P>() + 48) : a0;
  const d1 = width > 48 && depth > 1 ? v128.load(w, 1 * offsetof<P>() + 48) : a0;
  const d2 = width > 48 && depth > 2 ? v128.load(w, 2 * offsetof<P>() + 48) : a0;
  const d3 = width > 48 && depth > 3 ? v128.load(w, 3 * offsetof<P>() + 48) : a0;
  const d4 = width > 48 && depth > 4 ? v128.load(w, 4 * offsetof<P>() + 48) : a0;
  const d5 = width > 48 && depth > 5 ? v128.load(w, 5 * offsetof<P>() + 48) : a0;
  const d6 = width > 48 && depth > 6 ? v128.load(w, 6 * offsetof<P>() + 48) : a0;
  const d7 = width > 48 && depth > 7 ? v128.load(w, 7 * offsetof<P>() + 48) : a0;
  const d8 = width > 48 && depth > 8 ? v128.load(w, 8 * offsetof<P>() + 48) : a0;
  const d9 = width > 48 && depth > 9 ? v128.load(w, 9 * offsetof<P>() + 48) : a0;
  const d10 = width > 48 && depth > 10 ? v128.load(w, 10 * offsetof<P>() + 48) : a0;
  const d11 = width > 48 && depth > 11 ? v128.load(w, 11 * offsetof<P>() + 48) : a0;
  const d12 = width > 48 && depth > 12 ? v128.load(w, 12 * offsetof<P>() + 48) : a0;
  const d13 = width > 48 && depth > 13 ? v128.load(w, 13 * offsetof<P>() + 48) : a0;
  const d14 = width > 48 && depth > 14 ? v128.load(w, 14 * offsetof<P>() + 48) : a0;
  const d15 = width > 48 && depth > 15 ? v128.load(w, 15 * offsetof<P>() + 48) : a0;
  const d16 = width > 48 && depth > 16 ? v128.load(w, 16 * offsetof<P>() + 48) : a0;
  const d17 = width > 48 && depth > 17 ? v128.load(w, 17 * offsetof<P>() + 48) : a0;
  const d18 = width > 48 && depth > 18 ? v128.load(w, 18 * offsetof<P>() + 48) : a0;
  const d19 = width > 48 && depth > 19 ? v128.load(w, 19 * offsetof<P>() + 48) : a0;
  const d20 = width > 48 && depth > 20 ? v128.load(w, 20 * offsetof<P>() + 48) : a0;
  const d21 = width > 48 && depth > 21 ? v128.load(w, 21 * offsetof<P>() + 48) : a0;
  const d22 = width > 48 && depth > 22 ? v128.load(w, 22 * offsetof<P>() + 48) : a0;
  const d23 = width > 48 && depth > 23 ? v128.load(w, 23 * offsetof<P>() + 48) : a0;
  const d24 = width > 48 && depth > 24 ? v128.load(w, 24 * offsetof<P>() + 48) : a0;
  const d25 = width > 48 && depth > 25 ? v128.load(w, 25 * offsetof<P>() + 48) : a0;
  const d26 = width > 48 && depth > 26 ? v128.load(w, 26 * offsetof<P>() + 48) : a0;
  const d27 = width > 48 && depth > 27 ? v128.load(w, 27 * offsetof<P>() + 48) : a0;
  const d28 = width > 48 && depth > 28 ? v128.load(w, 28 * offsetof<P>() + 48) : a0;
  const d29 = width > 48 && depth > 29 ? v128.load(w, 29 * offsetof<P>() + 48) : a0;
  const d30 = width > 48 && depth > 30 ? v128.load(w, 30 * offsetof<P>() + 48) : a0;
  const d31 = width > 48 && depth > 31 ? v128.load(w, 31 * offsetof<P>() + 48) : a0;
  const biasA = first ? v128.load(bias) : a0;
  const biasB = first && width > 16 ? v128.load(bias, 16) : a0;
  const biasC = first && width > 32 ? v128.load(bias, 32) : a0;
  const biasD = first && width > 48 ? v128.load(bias, 48) : a0;
  const low = clamp ? clampLow() : a0;
  const high = clamp ? clampHigh() : a0;
  do {
    let n = nx;
    let p = a;
    let q = out;
    do {
      const x0 = v128.load32_splat(p, 0);
      const x1 = depth > 1 ? v128.load32_splat(p, 4) : x0;
      const x2 = depth > 2 ? v128.load32_splat(p, 8) : x0;
      const x3 = depth > 3 ? v128.load32_splat(p, 12) : x0;
      const x4 = depth > 4 ? v128.load32_splat(p, 16) : x0;
      const x5 = depth > 5 ? v128.load32_splat(p, 20) : x0;
      const x6 = depth > 6 ? v128.load32_splat(p, 24) : x0;
      const x7 = depth > 7 ? v128.load32_splat(p, 28) : x0;
      const x8 = depth > 8 ? v128.load32_splat(p, 32) : x0;
      const x9 = depth > 9 ? v128.load32_splat(p, 36) : x0;
      const x10 = depth > 10 ? v128.load32_splat(p, 40) : x0;
      const x11 = depth > 11 ? v128.load32_splat(p, 44) : x0;
      const x12 = depth > 12 ? v128.load32_splat(p, 48) : x0;
      const x13 = depth > 13 ? v128.load32_splat(p, 52) : x0;
      const x14 = depth > 14 ? v128.load32_splat(p, 56) : x0;
      const x15 = depth > 15 ? v128.load32_splat(p, 60) : x0;
      const x16 = depth > 16 ? v128.load32_splat(p, 64) : x0;
      const x17 = depth > 17 ? v128.load32_splat(p, 68) : x0;
      const x18 = depth > 18 ? v128.load32_splat(p, 72) : x0;
      const x19 = depth > 19 ? v128.load32_splat(p, 76) : x0;
      const x20 = depth > 20 ? v128.load32_splat(p, 80) : x0;
      const x21 = depth > 21 ? v128.load32_splat(p, 84) : x0;
      const x22 = depth > 22 ? v128.load32_splat(p, 88) : x0;
      const x23 = depth > 23 ? v128.load32_splat(p, 92) : x0;
      const x24 = depth > 24 ? v128.load32_splat(p, 96) : x0;
      const x25 = depth > 25 ? v128.load32_splat(p, 100) : x0;
      const x26 = depth > 26 ? v128.load32_splat(p, 104) : x0;
      const x27 = depth > 27 ? v128.load32_splat(p, 108) : x0;
      const x28 = depth > 28 ? v128.load32_splat(p, 112) : x0;
      const x29 = depth > 29 ? v128.load32_splat(p, 116) : x0;
      const x30 = depth > 30 ? v128.load32_splat(p, 120) : x0;
      const x31 = depth > 31 ? v128.load32_splat(p, 124) : x0;
      {
        let sum = first ? biasA : v128.load(q, 0);
        sum = f32x4.add(sum, f32x4.mul(x0, a0));
        if (depth > 1) sum = f32x4.add(sum, f32x4.mul(x1, a1));
        if (depth > 2) sum = f32x4.add(sum, f32x4.mul(x2, a2));
        if (depth > 3) sum = f32x4.add(sum, f32x4.mul(x3, a3));
        if (depth > 4) sum = mac4(sum, x4, x5, x6, x7, a4, a5, a6, a7);
        if (depth > 8) sum = mac8(sum, x8, x9, x10, x11, x12, x13, x14, x15, a8, a9, a10, a11, a12, a13, a14, a15);
        if (depth > 16) sum = mac8(sum, x16, x17, x18, x19, x20, x21, x22, x23, a16, a17, a18, a19, a20, a21, a22, a23);
        if (depth > 24) sum = mac8(sum, x24, x25, x26, x27, x28, x29, x30, x31, a24, a25, a26, a27, a28, a29, a30, a31);
        if (clamp) sum = f32x4.pmin(f32x4.pmax(sum, low), high);
        v128.store(q, sum, 0);
      }
      if (width > 16) {
        let sum = first ? biasB : v128.load(q, 16);
        sum = f32x4.add(sum, f32x4.mul(x0, b0));
        if (depth > 1) sum = f32x4.add(sum, f32x4.mul(x1, b1));
        if (depth > 2) sum = f32x4.add(sum, f32x4.mul(x2, b2));
        if (depth > 3) sum = f32x4.add(sum, f32x4.mul(x3, b3));
        if (depth > 4) sum = mac4(sum, x4, x5, x6, x7, b4, b5, b6, b7);
        if (depth > 8) sum = mac8(sum, x8, x9, x10, x11, x12, x13, x14, x15, b8, b9, b10, b11, b12, b13, b14, b15);
        if (depth > 16) sum = mac8(sum, x16, x17, x18, x19, x20, x21, x22, x23, b16, b17, b18, b19, b20, b21, b22, b23);
        if (depth > 24) sum = mac8(sum, x24, x25, x26, x27, x28, x29, x30, x31, b24, b25, b26, b27, b28, b29, b30, b31);
        if (clamp) sum = f32x4.pmin(f32x4.pmax(sum, low), high);
        v128.store(q, sum, 16);
      }
      if (width > 32) {
        let sum = first ? biasC : v128.load(q, 32);
        sum = f32x4.add(sum, f32x4.mul(x0, c0));
        if (depth > 1) sum = f32x4.add(sum, f32x4.mul(x1, c1));
        if (depth > 2) sum = f32x4.add(sum, f32x4.mul(x2, c2));
        if (depth > 3) sum = f32x4.add(sum, f32x4.mul(x3, c3));
        if (depth > 4) sum = mac4(sum, x4, x5, x6, x7, c4, c5, c6, c7);
        if (depth > 8) sum = mac8(sum, x8, x9, x10, x11, x12, x13, x14, x15, c8, c9, c10, c11, c12, c13, c14, c15);
        if (depth > 16) sum = mac8(sum, x16, x17, x18, x19, x20, x21, x22, x23, c16, c17, c18, c19, c20, c21, c22, c23);
        if (depth > 24) sum = mac8(sum, x24, x25, x26, x27, x28, x29, x30, x31, c24, c25, c26, c27, c28, c29, c30, c31);
        if (clamp) sum = f32x4.pmin(f32x4.pmax(sum, low), high);
        v128.store(q, sum, 32);
      }
      if (width > 48) {
        let sum = first ? biasD : v128.load(q, 48);
        sum = f32x4.add(sum, f32x4.mul(x0, d0));
        if (depth > 1) sum = f32x4.add(sum, f32x4.mul(x1, d1));
        if (depth > 2) sum = f32x4.add(sum, f32x4.mul(x2, d2));
        if (depth > 3) sum = f32x4.add(sum, f32x4.mul(x3, d3));
        if (depth > 4) sum = mac4(sum, x4, x5, x6, x7, d4, d5, d6, d7);
        if (depth > 8) sum = mac8(sum, x8, x9, x10, x11, x12, x13, x14, x15, d8, d9, d10, d11, d12, d13, d14, d15);
        if (depth > 16) sum = mac8(sum, x16, x17, x18, x19, x20, x21, x22, x23, d16, d17, d18, d19, d20, d21, d22, d23);
        if (depth > 24) sum = mac8(sum, x24, x25, x26, x27, x28, x29, x30, x31, d24, d25, d26, d27, d28, d29, d30, d31);
        if (clamp) sum = f32x4.pmin(f32x4.pmax(sum, low), high);
        v128.store(q, sum, 48);
      }
      p += aStepX;
      q += oStepX;
    } while (--n);
    a += aStepY;
    out += oStepY;
  } while (--ny);
}

function add<P, D>(
  a: usize, aStepX: usize, aStepY: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, bias: usize,
): void {
  body<P, D>(false, false, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
}

/** Adds `blocks` pieces, one after another. */
function addBlocks<P, D>(
  a: usize, aStepX: usize, aStepY: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, bias: usize, blocks: u32,
): void {
  do {
    body<P, D>(false, false, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
    a += 4 * offsetof<D>();
    w += offsetof<D>() * offsetof<P>();
  } while (--blocks);
}

function begin<P, D>(
  a: usize, aStepX: usize, aStepY: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, bias: usize,
): void {
  body<P, D>(true, false, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
}

function end<P, D>(
  a: usize, aStepX: usize, aStepY: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, bias: usize,
): void {
  body<P, D>(false, true, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
}

function whole<P, D>(
  a: usize, aStepX: usize, aStepY: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, bias: usize,
): void {
  body<P, D>(true, true, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
}

@inline
function variant<P, D>(
  first: bool, clamp: bool,
  a: usize, aStepX: usize, aStepY: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, bias: usize, blocks: u32,
): void {
  if (first) {
    if (clamp) whole<P, D>(a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
    else begin<P, D>(a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
  } else if (clamp) end<P, D>(a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
  else if (offsetof<D>() == 32) addBlocks<P, D>(a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias, blocks);
  else add<P, D>(a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
}

/**
 * Runs the kernel for depth D on a panel of `width` bytes an input channel: 16, 32, 48 or 64; where
 * neither `first` nor `clamp`, on `blocks` >= 1 pieces of 32 input channels one after another, else on one.
 */
export function gemmPiece<D>(
  width: usize, first: bool, clamp: bool,
  a: usize, aStepX: usize, aStepY: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, bias: usize, blocks: u32 = 1,
): void {
  if (width == 64) variant<Panel16, D>(first, clamp, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias, blocks);
  else if (width == 32) variant<Panel8, D>(first, clamp, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias, blocks);
  else if (width == 16) variant<Panel4, D>(first, clamp, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias, blocks);
  else variant<Panel12, D>(first, clamp, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias, blocks);
}
