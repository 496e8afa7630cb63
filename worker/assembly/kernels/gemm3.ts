import { clampHigh, clampLow } from './clamp';
import { Panel12, Panel16, Panel4, Panel8 } from './panel';

/**
 * out[y][x][lanes] += in[y][x][0..3) * w[0..3)[lanes] for all pixels of a rectangle, 3 input channels deep;
 * instead of adding to `out` begins with `bias` where `first`, and clamps what it stores where `clamp`.
 * The weights stay in locals while all pixels pass by. Steps are bytes; any alignment; nx, ny >= 1.
 */
@inline
function body<P>(
  first: bool, clamp: bool,
  a: usize, aStepX: usize, aStepY: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, bias: usize,
): void {
  const width = offsetof<P>();
  const a0 = v128.load(w, 0 * offsetof<P>());
  const a1 = v128.load(w, 1 * offsetof<P>());
  const a2 = v128.load(w, 2 * offsetof<P>());
  const b0 = width > 16 ? v128.load(w, 0 * offsetof<P>() + 16) : a0;
  const b1 = width > 16 ? v128.load(w, 1 * offsetof<P>() + 16) : a1;
  const b2 = width > 16 ? v128.load(w, 2 * offsetof<P>() + 16) : a2;
  const c0 = width > 32 ? v128.load(w, 0 * offsetof<P>() + 32) : a0;
  const c1 = width > 32 ? v128.load(w, 1 * offsetof<P>() + 32) : a1;
  const c2 = width > 32 ? v128.load(w, 2 * offsetof<P>() + 32) : a2;
  const d0 = width > 48 ? v128.load(w, 0 * offsetof<P>() + 48) : a0;
  const d1 = width > 48 ? v128.load(w, 1 * offsetof<P>() + 48) : a1;
  const d2 = width > 48 ? v128.load(w, 2 * offsetof<P>() + 48) : a2;
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
      {
        let sum = first ? biasA : v128.load(q, 0);
        sum = f32x4.add(sum, f32x4.mul(x0, a0));
        sum = f32x4.add(sum, f32x4.mul(x1, a1));
        sum = f32x4.add(sum, f32x4.mul(x2, a2));
        if (clamp) sum = f32x4.pmin(f32x4.pmax(sum, low), high);
        v128.store(q, sum, 0);
      }
      if (width > 16) {
        let sum = first ? biasB : v128.load(q, 16);
        sum = f32x4.add(sum, f32x4.mul(x0, b0));
        sum = f32x4.add(sum, f32x4.mul(x1, b1));
        sum = f32x4.add(sum, f32x4.mul(x2, b2));
        if (clamp) sum = f32x4.pmin(f32x4.pmax(sum, low), high);
        v128.store(q, sum, 16);
      }
      if (width > 32) {
        let sum = first ? biasC : v128.load(q, 32);
        sum = f32x4.add(sum, f32x4.mul(x0, c0));
        sum = f32x4.add(sum, f32x4.mul(x1, c1));
        sum = f32x4.add(sum, f32x4.mul(x2, c2));
        if (clamp) sum = f32x4.pmin(f32x4.pmax(sum, low), high);
        v128.store(q, sum, 32);
      }
      if (width > 48) {
        let sum = first ? biasD : v128.load(q, 48);
        sum = f32x4.add(sum, f32x4.mul(x0, d0));
        sum = f32x4.add(sum, f32x4.mul(x1, d1));
        sum = f32x4.add(sum, f32x4.mul(x2, d2));
        if (clamp) sum = f32x4.pmin(f32x4.pmax(sum, low), high);
        v128.store(q, sum, 48);
      }
      p += aStepX;
      q += oStepX;
    } while (--n);
    row += aStepY;
    outRow += oStepY;
  } while (--m);
}

function add<P>(
  a: usize, aStepX: usize, aStepY: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, bias: usize,
): void {
  body<P>(false, false, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
}

function begin<P>(
  a: usize, aStepX: usize, aStepY: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, bias: usize,
): void {
  body<P>(true, false, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
}

function end<P>(
  a: usize, aStepX: usize, aStepY: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, bias: usize,
): void {
  body<P>(false, true, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
}

function whole<P>(
  a: usize, aStepX: usize, aStepY: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, bias: usize,
): void {
  body<P>(true, true, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
}

@inline
function variant<P>(
  first: bool, clamp: bool,
  a: usize, aStepX: usize, aStepY: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, bias: usize,
): void {
  if (first) {
    if (clamp) whole<P>(a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
    else begin<P>(a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
  } else if (clamp) end<P>(a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
  else add<P>(a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
}

/** Runs the kernel on a panel of `width` bytes an input channel: 16, 32, 48 or 64. */
export function gemm3(
  width: usize, first: bool, clamp: bool,
  a: usize, aStepX: usize, aStepY: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, bias: usize,
): void {
  if (width == 64) variant<Panel16>(first, clamp, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
  else if (width == 32) variant<Panel8>(first, clamp, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
  else if (width == 16) variant<Panel4>(first, clamp, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
  else variant<Panel12>(first, clamp, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
}
