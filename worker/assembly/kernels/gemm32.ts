import { clampHigh, clampLow } from './clamp';
import { mac8 } from './mac';
import { Panel12, Panel16, Panel4, Panel8 } from './panel';

/**
 * out[y][x][lanes] += in[y][x][0..32) * w[0..32)[lanes] for all pixels of a rectangle, 32 input channels deep;
 * instead of adding to `out` begins with `bias` where `first`, and clamps what it stores where `clamp`.
 * The weights stay in locals while all pixels pass by, then the next of `blocks` pieces of depth follows. Steps are bytes; any alignment; nx, ny >= 1.
 */
@inline
function body<P>(
  first: bool, clamp: bool,
  a: usize, aStepX: usize, aStepY: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, bias: usize, blocks: u32,
): void {
  const width = offsetof<P>();
  do {
    const a0 = v128.load(w, 0 * offsetof<P>());
    const a1 = v128.load(w, 1 * offsetof<P>());
    const a2 = v128.load(w, 2 * offsetof<P>());
    const a3 = v128.load(w, 3 * offsetof<P>());
    const a4 = v128.load(w, 4 * offsetof<P>());
    const a5 = v128.load(w, 5 * offsetof<P>());
    const a6 = v128.load(w, 6 * offsetof<P>());
    const a7 = v128.load(w, 7 * offsetof<P>());
    const a8 = v128.load(w, 8 * offsetof<P>());
    const a9 = v128.load(w, 9 * offsetof<P>());
    const a10 = v128.load(w, 10 * offsetof<P>());
    const a11 = v128.load(w, 11 * offsetof<P>());
    const a12 = v128.load(w, 12 * offsetof<P>());
    const a13 = v128.load(w, 13 * offsetof<P>());
    const a14 = v128.load(w, 14 * offsetof<P>());
    const a15 = v128.load(w, 15 * offsetof<P>());
    const a16 = v128.load(w, 16 * offsetof<P>());
    const a17 = v128.load(w, 17 * offsetof<P>());
    const a18 = v128.load(w, 18 * offsetof<P>());
    const a19 = v128.load(w, 19 * offsetof<P>());
    const a20 = v128.load(w, 20 * offsetof<P>());
    const a21 = v128.load(w, 21 * offsetof<P>());
    const a22 = v128.load(w, 22 * offsetof<P>());
    const a23 = v128.load(w, 23 * offsetof<P>());
    const a24 = v128.load(w, 24 * offsetof<P>());
    const a25 = v128.load(w, 25 * offsetof<P>());
    const a26 = v128.load(w, 26 * offsetof<P>());
    const a27 = v128.load(w, 27 * offsetof<P>());
    const a28 = v128.load(w, 28 * offsetof<P>());
    const a29 = v128.load(w, 29 * offsetof<P>());
    const a30 = v128.load(w, 30 * offsetof<P>());
    const a31 = v128.load(w, 31 * offsetof<P>());
    const b0 = width > 16 ? v128.load(w, 0 * offsetof<P>() + 16) : a0;
    const b1 = width > 16 ? v128.load(w, 1 * offsetof<P>() + 16) : a1;
    const b2 = width > 16 ? v128.load(w, 2 * offsetof<P>() + 16) : a2;
    const b3 = width > 16 ? v128.load(w, 3 * offsetof<P>() + 16) : a3;
    const b4 = width > 16 ? v128.load(w, 4 * offsetof<P>() + 16) : a4;
    const b5 = width > 16 ? v128.load(w, 5 * offsetof<P>() + 16) : a5;
    const b6 = width > 16 ? v128.load(w, 6 * offsetof<P>() + 16) : a6;
    const b7 = width > 16 ? v128.load(w, 7 * offsetof<P>() + 16) : a7;
    const b8 = width > 16 ? v128.load(w, 8 * offsetof<P>() + 16) : a8;
    const b9 = width > 16 ? v128.load(w, 9 * offsetof<P>() + 16) : a9;
    const b10 = width > 16 ? v128.load(w, 10 * offsetof<P>() + 16) : a10;
    const b11 = width > 16 ? v128.load(w, 11 * offsetof<P>() + 16) : a11;
    const b12 = width > 16 ? v128.load(w, 12 * offsetof<P>() + 16) : a12;
    const b13 = width > 16 ? v128.load(w, 13 * offsetof<P>() + 16) : a13;
    const b14 = width > 16 ? v128.load(w, 14 * offsetof<P>() + 16) : a14;
    const b15 = width > 16 ? v128.load(w, 15 * offsetof<P>() + 16) : a15;
    const b16 = width > 16 ? v128.load(w, 16 * offsetof<P>() + 16) : a16;
    const b17 = width > 16 ? v128.load(w, 17 * offsetof<P>() + 16) : a17;
    const b18 = width > 16 ? v128.load(w, 18 * offsetof<P>() + 16) : a18;
    const b19 = width > 16 ? v128.load(w, 19 * offsetof<P>() + 16) : a19;
    const b20 = width > 16 ? v128.load(w, 20 * offsetof<P>() + 16) : a20;
    const b21 = width > 16 ? v128.load(w, 21 * offsetof<P>() + 16) : a21;
    const b22 = width > 16 ? v128.load(w, 22 * offsetof<P>() + 16) : a22;
    const b23 = width > 16 ? v128.load(w, 23 * offsetof<P>() + 16) : a23;
    const b24 = width > 16 ? v128.load(w, 24 * offsetof<P>() + 16) : a24;
    const b25 = width > 16 ? v128.load(w, 25 * offsetof<P>() + 16) : a25;
    const b26 = width > 16 ? v128.load(w, 26 * offsetof<P>() + 16) : a26;
    const b27 = width > 16 ? v128.load(w, 27 * offsetof<P>() + 16) : a27;
    const b28 = width > 16 ? v128.load(w, 28 * offsetof<P>() + 16) : a28;
    const b29 = width > 16 ? v128.load(w, 29 * offsetof<P>() + 16) : a29;
    const b30 = width > 16 ? v128.load(w, 30 * offsetof<P>() + 16) : a30;
    const b31 = width > 16 ? v128.load(w, 31 * offsetof<P>() + 16) : a31;
    const c0 = width > 32 ? v128.load(w, 0 * offsetof<P>() + 32) : a0;
    const c1 = width > 32 ? v128.load(w, 1 * offsetof<P>() + 32) : a1;
    const c2 = width > 32 ? v128.load(w, 2 * offsetof<P>() + 32) : a2;
    const c3 = width > 32 ? v128.load(w, 3 * offsetof<P>() + 32) : a3;
    const c4 = width > 32 ? v128.load(w, 4 * offsetof<P>() + 32) : a4;
    const c5 = width > 32 ? v128.load(w, 5 * offsetof<P>() + 32) : a5;
    const c6 = width > 32 ? v128.load(w, 6 * offsetof<P>() + 32) : a6;
    const c7 = width > 32 ? v128.load(w, 7 * offsetof<P>() + 32) : a7;
    const c8 = width > 32 ? v128.load(w, 8 * offsetof<P>() + 32) : a8;
    const c9 = width > 32 ? v128.load(w, 9 * offsetof<P>() + 32) : a9;
    const c10 = width > 32 ? v128.load(w, 10 * offsetof<P>() + 32) : a10;
    const c11 = width > 32 ? v128.load(w, 11 * offsetof<P>() + 32) : a11;
    const c12 = width > 32 ? v128.load(w, 12 * offsetof<P>() + 32) : a12;
    const c13 = width > 32 ? v128.load(w, 13 * offsetof<P>() + 32) : a13;
    const c14 = width > 32 ? v128.load(w, 14 * offsetof<P>() + 32) : a14;
    const c15 = width > 32 ? v128.load(w, 15 * offsetof<P>() + 32) : a15;
    const c16 = width > 32 ? v128.load(w, 16 * offsetof<P>() + 32) : a16;
    const c17 = width > 32 ? v128.load(w, 17 * offsetof<P>() + 32) : a17;
    const c18 = width > 32 ? v128.load(w, 18 * offsetof<P>() + 32) : a18;
    const c19 = width > 32 ? v128.load(w, 19 * offsetof<P>() + 32) : a19;
    const c20 = width > 32 ? v128.load(w, 20 * offsetof<P>() + 32) : a20;
    const c21 = width > 32 ? v128.load(w, 21 * offsetof<P>() + 32) : a21;
    const c22 = width > 32 ? v128.load(w, 22 * offsetof<P>() + 32) : a22;
    const c23 = width > 32 ? v128.load(w, 23 * offsetof<P>() + 32) : a23;
    const c24 = width > 32 ? v128.load(w, 24 * offsetof<P>() + 32) : a24;
    const c25 = width > 32 ? v128.load(w, 25 * offsetof<P>() + 32) : a25;
    const c26 = width > 32 ? v128.load(w, 26 * offsetof<P>() + 32) : a26;
    const c27 = width > 32 ? v128.load(w, 27 * offsetof<P>() + 32) : a27;
    const c28 = width > 32 ? v128.load(w, 28 * offsetof<P>() + 32) : a28;
    const c29 = width > 32 ? v128.load(w, 29 * offsetof<P>() + 32) : a29;
    const c30 = width > 32 ? v128.load(w, 30 * offsetof<P>() + 32) : a30;
    const c31 = width > 32 ? v128.load(w, 31 * offsetof<P>() + 32) : a31;
    const d0 = width > 48 ? v128.load(w, 0 * offsetof<P>() + 48) : a0;
    const d1 = width > 48 ? v128.load(w, 1 * offsetof<P>() + 48) : a1;
    const d2 = width > 48 ? v128.load(w, 2 * offsetof<P>() + 48) : a2;
    const d3 = width > 48 ? v128.load(w, 3 * offsetof<P>() + 48) : a3;
    const d4 = width > 48 ? v128.load(w, 4 * offsetof<P>() + 48) : a4;
    const d5 = width > 48 ? v128.load(w, 5 * offsetof<P>() + 48) : a5;
    const d6 = width > 48 ? v128.load(w, 6 * offsetof<P>() + 48) : a6;
    const d7 = width > 48 ? v128.load(w, 7 * offsetof<P>() + 48) : a7;
    const d8 = width > 48 ? v128.load(w, 8 * offsetof<P>() + 48) : a8;
    const d9 = width > 48 ? v128.load(w, 9 * offsetof<P>() + 48) : a9;
    const d10 = width > 48 ? v128.load(w, 10 * offsetof<P>() + 48) : a10;
    const d11 = width > 48 ? v128.load(w, 11 * offsetof<P>() + 48) : a11;
    const d12 = width > 48 ? v128.load(w, 12 * offsetof<P>() + 48) : a12;
    const d13 = width > 48 ? v128.load(w, 13 * offsetof<P>() + 48) : a13;
    const d14 = width > 48 ? v128.load(w, 14 * offsetof<P>() + 48) : a14;
    const d15 = width > 48 ? v128.load(w, 15 * offsetof<P>() + 48) : a15;
    const d16 = width > 48 ? v128.load(w, 16 * offsetof<P>() + 48) : a16;
    const d17 = width > 48 ? v128.load(w, 17 * offsetof<P>() + 48) : a17;
    const d18 = width > 48 ? v128.load(w, 18 * offsetof<P>() + 48) : a18;
    const d19 = width > 48 ? v128.load(w, 19 * offsetof<P>() + 48) : a19;
    const d20 = width > 48 ? v128.load(w, 20 * offsetof<P>() + 48) : a20;
    const d21 = width > 48 ? v128.load(w, 21 * offsetof<P>() + 48) : a21;
    const d22 = width > 48 ? v128.load(w, 22 * offsetof<P>() + 48) : a22;
    const d23 = width > 48 ? v128.load(w, 23 * offsetof<P>() + 48) : a23;
    const d24 = width > 48 ? v128.load(w, 24 * offsetof<P>() + 48) : a24;
    const d25 = width > 48 ? v128.load(w, 25 * offsetof<P>() + 48) : a25;
    const d26 = width > 48 ? v128.load(w, 26 * offsetof<P>() + 48) : a26;
    const d27 = width > 48 ? v128.load(w, 27 * offsetof<P>() + 48) : a27;
    const d28 = width > 48 ? v128.load(w, 28 * offsetof<P>() + 48) : a28;
    const d29 = width > 48 ? v128.load(w, 29 * offsetof<P>() + 48) : a29;
    const d30 = width > 48 ? v128.load(w, 30 * offsetof<P>() + 48) : a30;
    const d31 = width > 48 ? v128.load(w, 31 * offsetof<P>() + 48) : a31;
    const biasA = first ? v128.load(bias) : a0;
    const biasB = first && width > 16 ? v128.load(bias, 16) : a0;
    const biasC = first && width > 32 ? v128.load(bias, 32) : a0;
    const biasD = first && width > 48 ? v128.load(bias, 48) : a0;
    const low = clamp ? clampLow() : a0;
    const high = clamp ? clampHigh() : a0;
    let row = a;
    let outRow = out;
    let m = ny;
    do {
      let n = nx;
      let p = row;
      let q = outRow;
      do {
        const x0 = v128.load32_splat(p, 0);
        const x1 = v128.load32_splat(p, 4);
        const x2 = v128.load32_splat(p, 8);
        const x3 = v128.load32_splat(p, 12);
        const x4 = v128.load32_splat(p, 16);
        const x5 = v128.load32_splat(p, 20);
        const x6 = v128.load32_splat(p, 24);
        const x7 = v128.load32_splat(p, 28);
        const x8 = v128.load32_splat(p, 32);
        const x9 = v128.load32_splat(p, 36);
        const x10 = v128.load32_splat(p, 40);
        const x11 = v128.load32_splat(p, 44);
        const x12 = v128.load32_splat(p, 48);
        const x13 = v128.load32_splat(p, 52);
        const x14 = v128.load32_splat(p, 56);
        const x15 = v128.load32_splat(p, 60);
        const x16 = v128.load32_splat(p, 64);
        const x17 = v128.load32_splat(p, 68);
        const x18 = v128.load32_splat(p, 72);
        const x19 = v128.load32_splat(p, 76);
        const x20 = v128.load32_splat(p, 80);
        const x21 = v128.load32_splat(p, 84);
        const x22 = v128.load32_splat(p, 88);
        const x23 = v128.load32_splat(p, 92);
        const x24 = v128.load32_splat(p, 96);
        const x25 = v128.load32_splat(p, 100);
        const x26 = v128.load32_splat(p, 104);
        const x27 = v128.load32_splat(p, 108);
        const x28 = v128.load32_splat(p, 112);
        const x29 = v128.load32_splat(p, 116);
        const x30 = v128.load32_splat(p, 120);
        const x31 = v128.load32_splat(p, 124);
        {
          let sum = first ? biasA : v128.load(q, 0);
          sum = mac8(sum, x0, x1, x2, x3, x4, x5, x6, x7, a0, a1, a2, a3, a4, a5, a6, a7);
          sum = mac8(sum, x8, x9, x10, x11, x12, x13, x14, x15, a8, a9, a10, a11, a12, a13, a14, a15);
          sum = mac8(sum, x16, x17, x18, x19, x20, x21, x22, x23, a16, a17, a18, a19, a20, a21, a22, a23);
          sum = mac8(sum, x24, x25, x26, x27, x28, x29, x30, x31, a24, a25, a26, a27, a28, a29, a30, a31);
          if (clamp) sum = f32x4.pmin(f32x4.pmax(sum, low), high);
          v128.store(q, sum, 0);
        }
        if (width > 16) {
          let sum = first ? biasB : v128.load(q, 16);
          sum = mac8(sum, x0, x1, x2, x3, x4, x5, x6, x7, b0, b1, b2, b3, b4, b5, b6, b7);
          sum = mac8(sum, x8, x9, x10, x11, x12, x13, x14, x15, b8, b9, b10, b11, b12, b13, b14, b15);
          sum = mac8(sum, x16, x17, x18, x19, x20, x21, x22, x23, b16, b17, b18, b19, b20, b21, b22, b23);
          sum = mac8(sum, x24, x25, x26, x27, x28, x29, x30, x31, b24, b25, b26, b27, b28, b29, b30, b31);
          if (clamp) sum = f32x4.pmin(f32x4.pmax(sum, low), high);
          v128.store(q, sum, 16);
        }
        if (width > 32) {
          let sum = first ? biasC : v128.load(q, 32);
          sum = mac8(sum, x0, x1, x2, x3, x4, x5, x6, x7, c0, c1, c2, c3, c4, c5, c6, c7);
          sum = mac8(sum, x8, x9, x10, x11, x12, x13, x14, x15, c8, c9, c10, c11, c12, c13, c14, c15);
          sum = mac8(sum, x16, x17, x18, x19, x20, x21, x22, x23, c16, c17, c18, c19, c20, c21, c22, c23);
          sum = mac8(sum, x24, x25, x26, x27, x28, x29, x30, x31, c24, c25, c26, c27, c28, c29, c30, c31);
          if (clamp) sum = f32x4.pmin(f32x4.pmax(sum, low), high);
          v128.store(q, sum, 32);
        }
        if (width > 48) {
          let sum = first ? biasD : v128.load(q, 48);
          sum = mac8(sum, x0, x1, x2, x3, x4, x5, x6, x7, d0, d1, d2, d3, d4, d5, d6, d7);
          sum = mac8(sum, x8, x9, x10, x11, x12, x13, x14, x15, d8, d9, d10, d11, d12, d13, d14, d15);
          sum = mac8(sum, x16, x17, x18, x19, x20, x21, x22, x23, d16, d17, d18, d19, d20, d21, d22, d23);
          sum = mac8(sum, x24, x25, x26, x27, x28, x29, x30, x31, d24, d25, d26, d27, d28, d29, d30, d31);
          if (clamp) sum = f32x4.pmin(f32x4.pmax(sum, low), high);
          v128.store(q, sum, 48);
        }
        p += aStepX;
        q += oStepX;
      } while (--n);
      row += aStepY;
      outRow += oStepY;
    } while (--m);
    a += 128;
    w += 32 * width;
  } while (--blocks);
}

function add<P>(
  a: usize, aStepX: usize, aStepY: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, bias: usize, blocks: u32,
): void {
  body<P>(false, false, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias, blocks);
}

function begin<P>(
  a: usize, aStepX: usize, aStepY: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, bias: usize,
): void {
  body<P>(true, false, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias, 1);
}

function end<P>(
  a: usize, aStepX: usize, aStepY: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, bias: usize,
): void {
  body<P>(false, true, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias, 1);
}

function whole<P>(
  a: usize, aStepX: usize, aStepY: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, bias: usize,
): void {
  body<P>(true, true, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias, 1);
}

@inline
function variant<P>(
  first: bool, clamp: bool,
  a: usize, aStepX: usize, aStepY: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, bias: usize, blocks: u32,
): void {
  if (first) {
    if (clamp) whole<P>(a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
    else begin<P>(a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
  } else if (clamp) end<P>(a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
  else add<P>(a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias, blocks);
}

/**
 * Runs the kernel on a panel of `width` bytes an input channel: 16, 32, 48 or 64; where neither `first`
 * nor `clamp`, on `blocks` >= 1 pieces of 32 input channels one after another, else on one.
 */
export function gemm32(
  width: usize, first: bool, clamp: bool,
  a: usize, aStepX: usize, aStepY: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, bias: usize, blocks: u32,
): void {
  if (width == 64) variant<Panel16>(first, clamp, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias, blocks);
  else if (width == 32) variant<Panel8>(first, clamp, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias, blocks);
  else if (width == 16) variant<Panel4>(first, clamp, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias, blocks);
  else variant<Panel12>(first, clamp, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias, blocks);
}
