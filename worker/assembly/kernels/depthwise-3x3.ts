import { clampHigh, clampLow } from './clamp';
import { Panel16, Panel4 } from './panel';

/**
 * One filter of 3x3 taps per channel, all of it inside the image: out[y][x][lanes] = bias[lanes] +
 * in[y + row][x + tap][lanes] * w[row][tap][lanes] for all pixels of a rectangle, clamped where `clamp`. The
 * weights stay in locals. Steps are bytes, `tapX` and `tapY` from tap to tap of the image, `wTap` of the
 * weights; nx, ny >= 1.
 */
@inline
function body<P>(
  clamp: bool,
  a: usize, aStepX: usize, aStepY: usize, tapX: usize, tapY: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, wTap: usize, bias: usize,
): void {
  const width = offsetof<P>();
  const a0 = v128.load(w);
  const b0 = width > 16 ? v128.load(w, 16) : a0;
  const c0 = width > 32 ? v128.load(w, 32) : a0;
  const d0 = width > 48 ? v128.load(w, 48) : a0;
  w += wTap;
  const a1 = v128.load(w);
  const b1 = width > 16 ? v128.load(w, 16) : a0;
  const c1 = width > 32 ? v128.load(w, 32) : a0;
  const d1 = width > 48 ? v128.load(w, 48) : a0;
  w += wTap;
  const a2 = v128.load(w);
  const b2 = width > 16 ? v128.load(w, 16) : a0;
  const c2 = width > 32 ? v128.load(w, 32) : a0;
  const d2 = width > 48 ? v128.load(w, 48) : a0;
  w += wTap;
  const a3 = v128.load(w);
  const b3 = width > 16 ? v128.load(w, 16) : a0;
  const c3 = width > 32 ? v128.load(w, 32) : a0;
  const d3 = width > 48 ? v128.load(w, 48) : a0;
  w += wTap;
  const a4 = v128.load(w);
  const b4 = width > 16 ? v128.load(w, 16) : a0;
  const c4 = width > 32 ? v128.load(w, 32) : a0;
  const d4 = width > 48 ? v128.load(w, 48) : a0;
  w += wTap;
  const a5 = v128.load(w);
  const b5 = width > 16 ? v128.load(w, 16) : a0;
  const c5 = width > 32 ? v128.load(w, 32) : a0;
  const d5 = width > 48 ? v128.load(w, 48) : a0;
  w += wTap;
  const a6 = v128.load(w);
  const b6 = width > 16 ? v128.load(w, 16) : a0;
  const c6 = width > 32 ? v128.load(w, 32) : a0;
  const d6 = width > 48 ? v128.load(w, 48) : a0;
  w += wTap;
  const a7 = v128.load(w);
  const b7 = width > 16 ? v128.load(w, 16) : a0;
  const c7 = width > 32 ? v128.load(w, 32) : a0;
  const d7 = width > 48 ? v128.load(w, 48) : a0;
  w += wTap;
  const a8 = v128.load(w);
  const b8 = width > 16 ? v128.load(w, 16) : a0;
  const c8 = width > 32 ? v128.load(w, 32) : a0;
  const d8 = width > 48 ? v128.load(w, 48) : a0;
  const biasA = v128.load(bias);
  const biasB = width > 16 ? v128.load(bias, 16) : a0;
  const biasC = width > 32 ? v128.load(bias, 32) : a0;
  const biasD = width > 48 ? v128.load(bias, 48) : a0;
  const low = clamp ? clampLow() : a0;
  const high = clamp ? clampHigh() : a0;
  do {
    let n = nx;
    let p = a;
    let q = out;
    do {
      const p1 = p + tapX;
      const p2 = p1 + tapX;
      const p3 = p + tapY;
      const p4 = p3 + tapX;
      const p5 = p4 + tapX;
      const p6 = p3 + tapY;
      const p7 = p6 + tapX;
      const p8 = p7 + tapX;
      {
        let sum = biasA;
        sum = f32x4.add(sum, f32x4.mul(v128.load(p), a0));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p1), a1));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p2), a2));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p3), a3));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p4), a4));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p5), a5));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p6), a6));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p7), a7));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p8), a8));
        if (clamp) sum = f32x4.pmin(f32x4.pmax(sum, low), high);
        v128.store(q, sum);
      }
      if (width > 16) {
        let sum = biasB;
        sum = f32x4.add(sum, f32x4.mul(v128.load(p, 16), b0));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p1, 16), b1));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p2, 16), b2));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p3, 16), b3));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p4, 16), b4));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p5, 16), b5));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p6, 16), b6));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p7, 16), b7));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p8, 16), b8));
        if (clamp) sum = f32x4.pmin(f32x4.pmax(sum, low), high);
        v128.store(q, sum, 16);
      }
      if (width > 32) {
        let sum = biasC;
        sum = f32x4.add(sum, f32x4.mul(v128.load(p, 32), c0));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p1, 32), c1));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p2, 32), c2));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p3, 32), c3));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p4, 32), c4));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p5, 32), c5));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p6, 32), c6));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p7, 32), c7));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p8, 32), c8));
        if (clamp) sum = f32x4.pmin(f32x4.pmax(sum, low), high);
        v128.store(q, sum, 32);
      }
      if (width > 48) {
        let sum = biasD;
        sum = f32x4.add(sum, f32x4.mul(v128.load(p, 48), d0));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p1, 48), d1));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p2, 48), d2));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p3, 48), d3));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p4, 48), d4));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p5, 48), d5));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p6, 48), d6));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p7, 48), d7));
        sum = f32x4.add(sum, f32x4.mul(v128.load(p8, 48), d8));
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

function plain<P>(
  a: usize, aStepX: usize, aStepY: usize, tapX: usize, tapY: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, wTap: usize, bias: usize,
): void {
  body<P>(false, a, aStepX, aStepY, tapX, tapY, out, oStepX, oStepY, nx, ny, w, wTap, bias);
}

function clamped<P>(
  a: usize, aStepX: usize, aStepY: usize, tapX: usize, tapY: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, wTap: usize, bias: usize,
): void {
  body<P>(true, a, aStepX, aStepY, tapX, tapY, out, oStepX, oStepY, nx, ny, w, wTap, bias);
}

/** Runs the kernel on `width` bytes of channels: 16 or 64. */
export function depthwise3x3(
  width: usize, clamp: bool,
  a: usize, aStepX: usize, aStepY: usize, tapX: usize, tapY: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, wTap: usize, bias: usize,
): void {
  if (width == 64) {
    if (clamp) clamped<Panel16>(a, aStepX, aStepY, tapX, tapY, out, oStepX, oStepY, nx, ny, w, wTap, bias);
    else plain<Panel16>(a, aStepX, aStepY, tapX, tapY, out, oStepX, oStepY, nx, ny, w, wTap, bias);
  } else if (clamp) clamped<Panel4>(a, aStepX, aStepY, tapX, tapY, out, oStepX, oStepY, nx, ny, w, wTap, bias);
  else plain<Panel4>(a, aStepX, aStepY, tapX, tapY, out, oStepX, oStepY, nx, ny, w, wTap, bias);
}
