import { clampHigh, clampLow } from './clamp';
import { Panel16, Panel4 } from './panel';

/** Numbers of taps as types: `offsetof<T>()` is the number. */
@unmanaged
class Taps1 {
  to1: u8;
}

@unmanaged
class Taps2 extends Taps1 {
  to2: u8;
}

@unmanaged
class Taps3 extends Taps2 {
  to3: u8;
}

@unmanaged
class Taps5 extends Taps3 {
  to4: u8;
  to5: u8;
}

/**
 * One filter per channel, `taps` taps side by side: out[y][x][lanes] += in[y][x + tap][lanes] * w[tap][lanes]
 * for all pixels of a rectangle; instead of adding to `out` begins with `bias` where `first`, and clamps
 * what it stores where `clamp`. The weights stay in locals. Steps are bytes, `tapX` from tap to tap of the
 * image, `wTap` of the weights; nx, ny >= 1.
 */
@inline
function body<P, T>(
  first: bool, clamp: bool,
  a: usize, aStepX: usize, aStepY: usize, tapX: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, wTap: usize, bias: usize,
): void {
  const width = offsetof<P>();
  const taps = offsetof<T>();
  const a0 = v128.load(w);
  const b0 = width > 16 ? v128.load(w, 16) : a0;
  const c0 = width > 32 ? v128.load(w, 32) : a0;
  const d0 = width > 48 ? v128.load(w, 48) : a0;
  if (taps > 1) w += wTap;
  const a1 = taps > 1 ? v128.load(w) : a0;
  const b1 = taps > 1 && width > 16 ? v128.load(w, 16) : a0;
  const c1 = taps > 1 && width > 32 ? v128.load(w, 32) : a0;
  const d1 = taps > 1 && width > 48 ? v128.load(w, 48) : a0;
  if (taps > 2) w += wTap;
  const a2 = taps > 2 ? v128.load(w) : a0;
  const b2 = taps > 2 && width > 16 ? v128.load(w, 16) : a0;
  const c2 = taps > 2 && width > 32 ? v128.load(w, 32) : a0;
  const d2 = taps > 2 && width > 48 ? v128.load(w, 48) : a0;
  if (taps > 3) w += wTap;
  const a3 = taps > 3 ? v128.load(w) : a0;
  const b3 = taps > 3 && width > 16 ? v128.load(w, 16) : a0;
  const c3 = taps > 3 && width > 32 ? v128.load(w, 32) : a0;
  const d3 = taps > 3 && width > 48 ? v128.load(w, 48) : a0;
  if (taps > 4) w += wTap;
  const a4 = taps > 4 ? v128.load(w) : a0;
  const b4 = taps > 4 && width > 16 ? v128.load(w, 16) : a0;
  const c4 = taps > 4 && width > 32 ? v128.load(w, 32) : a0;
  const d4 = taps > 4 && width > 48 ? v128.load(w, 48) : a0;
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
      const p1 = taps > 1 ? p + tapX : p;
      const p2 = taps > 2 ? p1 + tapX : p;
      const p3 = taps > 3 ? p2 + tapX : p;
      const p4 = taps > 4 ? p3 + tapX : p;
      {
        let sum = first ? biasA : v128.load(q);
        sum = f32x4.add(sum, f32x4.mul(v128.load(p), a0));
        if (taps > 1) sum = f32x4.add(sum, f32x4.mul(v128.load(p1), a1));
        if (taps > 2) sum = f32x4.add(sum, f32x4.mul(v128.load(p2), a2));
        if (taps > 3) sum = f32x4.add(sum, f32x4.mul(v128.load(p3), a3));
        if (taps > 4) sum = f32x4.add(sum, f32x4.mul(v128.load(p4), a4));
        if (clamp) sum = f32x4.pmin(f32x4.pmax(sum, low), high);
        v128.store(q, sum);
      }
      if (width > 16) {
        let sum = first ? biasB : v128.load(q, 16);
        sum = f32x4.add(sum, f32x4.mul(v128.load(p, 16), b0));
        if (taps > 1) sum = f32x4.add(sum, f32x4.mul(v128.load(p1, 16), b1));
        if (taps > 2) sum = f32x4.add(sum, f32x4.mul(v128.load(p2, 16), b2));
        if (taps > 3) sum = f32x4.add(sum, f32x4.mul(v128.load(p3, 16), b3));
        if (taps > 4) sum = f32x4.add(sum, f32x4.mul(v128.load(p4, 16), b4));
        if (clamp) sum = f32x4.pmin(f32x4.pmax(sum, low), high);
        v128.store(q, sum, 16);
      }
      if (width > 32) {
        let sum = first ? biasC : v128.load(q, 32);
        sum = f32x4.add(sum, f32x4.mul(v128.load(p, 32), c0));
        if (taps > 1) sum = f32x4.add(sum, f32x4.mul(v128.load(p1, 32), c1));
        if (taps > 2) sum = f32x4.add(sum, f32x4.mul(v128.load(p2, 32), c2));
        if (taps > 3) sum = f32x4.add(sum, f32x4.mul(v128.load(p3, 32), c3));
        if (taps > 4) sum = f32x4.add(sum, f32x4.mul(v128.load(p4, 32), c4));
        if (clamp) sum = f32x4.pmin(f32x4.pmax(sum, low), high);
        v128.store(q, sum, 32);
      }
      if (width > 48) {
        let sum = first ? biasD : v128.load(q, 48);
        sum = f32x4.add(sum, f32x4.mul(v128.load(p, 48), d0));
        if (taps > 1) sum = f32x4.add(sum, f32x4.mul(v128.load(p1, 48), d1));
        if (taps > 2) sum = f32x4.add(sum, f32x4.mul(v128.load(p2, 48), d2));
        if (taps > 3) sum = f32x4.add(sum, f32x4.mul(v128.load(p3, 48), d3));
        if (taps > 4) sum = f32x4.add(sum, f32x4.mul(v128.load(p4, 48), d4));
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

function add<P, T>(
  a: usize, aStepX: usize, aStepY: usize, tapX: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, wTap: usize, bias: usize,
): void {
  body<P, T>(false, false, a, aStepX, aStepY, tapX, out, oStepX, oStepY, nx, ny, w, wTap, bias);
}

function begin<P, T>(
  a: usize, aStepX: usize, aStepY: usize, tapX: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, wTap: usize, bias: usize,
): void {
  body<P, T>(true, false, a, aStepX, aStepY, tapX, out, oStepX, oStepY, nx, ny, w, wTap, bias);
}

function end<P, T>(
  a: usize, aStepX: usize, aStepY: usize, tapX: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, wTap: usize, bias: usize,
): void {
  body<P, T>(false, true, a, aStepX, aStepY, tapX, out, oStepX, oStepY, nx, ny, w, wTap, bias);
}

function whole<P, T>(
  a: usize, aStepX: usize, aStepY: usize, tapX: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, wTap: usize, bias: usize,
): void {
  body<P, T>(true, true, a, aStepX, aStepY, tapX, out, oStepX, oStepY, nx, ny, w, wTap, bias);
}

@inline
function variant<P, T>(
  first: bool, clamp: bool,
  a: usize, aStepX: usize, aStepY: usize, tapX: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, wTap: usize, bias: usize,
): void {
  if (first) {
    if (clamp) whole<P, T>(a, aStepX, aStepY, tapX, out, oStepX, oStepY, nx, ny, w, wTap, bias);
    else begin<P, T>(a, aStepX, aStepY, tapX, out, oStepX, oStepY, nx, ny, w, wTap, bias);
  } else if (clamp) end<P, T>(a, aStepX, aStepY, tapX, out, oStepX, oStepY, nx, ny, w, wTap, bias);
  else add<P, T>(a, aStepX, aStepY, tapX, out, oStepX, oStepY, nx, ny, w, wTap, bias);
}

function choose<P>(
  taps: u32, first: bool, clamp: bool,
  a: usize, aStepX: usize, aStepY: usize, tapX: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, wTap: usize, bias: usize,
): void {
  if (taps == 5) variant<P, Taps5>(first, clamp, a, aStepX, aStepY, tapX, out, oStepX, oStepY, nx, ny, w, wTap, bias);
  else if (taps == 3) variant<P, Taps3>(first, clamp, a, aStepX, aStepY, tapX, out, oStepX, oStepY, nx, ny, w, wTap, bias);
  else if (taps == 2) variant<P, Taps2>(first, clamp, a, aStepX, aStepY, tapX, out, oStepX, oStepY, nx, ny, w, wTap, bias);
  else variant<P, Taps1>(first, clamp, a, aStepX, aStepY, tapX, out, oStepX, oStepY, nx, ny, w, wTap, bias);
}

/** Runs the kernel for 1, 2, 3 or 5 taps on `width` bytes of channels: 16 or 64. */
export function depthwiseRow(
  width: usize, taps: u32, first: bool, clamp: bool,
  a: usize, aStepX: usize, aStepY: usize, tapX: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, wTap: usize, bias: usize,
): void {
  if (width == 64) choose<Panel16>(taps, first, clamp, a, aStepX, aStepY, tapX, out, oStepX, oStepY, nx, ny, w, wTap, bias);
  else choose<Panel4>(taps, first, clamp, a, aStepX, aStepY, tapX, out, oStepX, oStepY, nx, ny, w, wTap, bias);
}
