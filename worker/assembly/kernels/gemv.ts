import { clampHigh, clampLow } from './clamp';
import { mac8 } from './mac';
import { Panel12, Panel16, Panel4, Panel8 } from './panel';

/**
 * One row through one panel: out[lanes] = bias[lanes] + x[0..depth) * w[0..depth)[lanes]. The sums stay
 * in locals over the whole depth, the weights are read once. Any depth, any alignment.
 */
@inline
function body<P>(clamp: bool, x: usize, depth: u32, w: usize, bias: usize, out: usize): void {
  const width = offsetof<P>();
  let sumA = v128.load(bias);
  let sumB = width > 16 ? v128.load(bias, 16) : sumA;
  let sumC = width > 32 ? v128.load(bias, 32) : sumA;
  let sumD = width > 48 ? v128.load(bias, 48) : sumA;
  let n = depth >>> 4;
  if (n != 0) do {
    const x0 = v128.load32_splat(x, 0);
    const x1 = v128.load32_splat(x, 4);
    const x2 = v128.load32_splat(x, 8);
    const x3 = v128.load32_splat(x, 12);
    const x4 = v128.load32_splat(x, 16);
    const x5 = v128.load32_splat(x, 20);
    const x6 = v128.load32_splat(x, 24);
    const x7 = v128.load32_splat(x, 28);
    const x8 = v128.load32_splat(x, 32);
    const x9 = v128.load32_splat(x, 36);
    const x10 = v128.load32_splat(x, 40);
    const x11 = v128.load32_splat(x, 44);
    const x12 = v128.load32_splat(x, 48);
    const x13 = v128.load32_splat(x, 52);
    const x14 = v128.load32_splat(x, 56);
    const x15 = v128.load32_splat(x, 60);
    sumA = mac8(
      sumA, x0, x1, x2, x3, x4, x5, x6, x7,
      v128.load(w, 0 * offsetof<P>()), v128.load(w, 1 * offsetof<P>()),
      v128.load(w, 2 * offsetof<P>()), v128.load(w, 3 * offsetof<P>()),
      v128.load(w, 4 * offsetof<P>()), v128.load(w, 5 * offsetof<P>()),
      v128.load(w, 6 * offsetof<P>()), v128.load(w, 7 * offsetof<P>()),
    );
    sumA = mac8(
      sumA, x8, x9, x10, x11, x12, x13, x14, x15,
      v128.load(w, 8 * offsetof<P>()), v128.load(w, 9 * offsetof<P>()),
      v128.load(w, 10 * offsetof<P>()), v128.load(w, 11 * offsetof<P>()),
      v128.load(w, 12 * offsetof<P>()), v128.load(w, 13 * offsetof<P>()),
      v128.load(w, 14 * offsetof<P>()), v128.load(w, 15 * offsetof<P>()),
    );
    if (width > 16) {
      sumB = mac8(
        sumB, x0, x1, x2, x3, x4, x5, x6, x7,
        v128.load(w, 0 * offsetof<P>() + 16), v128.load(w, 1 * offsetof<P>() + 16),
        v128.load(w, 2 * offsetof<P>() + 16), v128.load(w, 3 * offsetof<P>() + 16),
        v128.load(w, 4 * offsetof<P>() + 16), v128.load(w, 5 * offsetof<P>() + 16),
        v128.load(w, 6 * offsetof<P>() + 16), v128.load(w, 7 * offsetof<P>() + 16),
      );
      sumB = mac8(
        sumB, x8, x9, x10, x11, x12, x13, x14, x15,
        v128.load(w, 8 * offsetof<P>() + 16), v128.load(w, 9 * offsetof<P>() + 16),
        v128.load(w, 10 * offsetof<P>() + 16), v128.load(w, 11 * offsetof<P>() + 16),
        v128.load(w, 12 * offsetof<P>() + 16), v128.load(w, 13 * offsetof<P>() + 16),
        v128.load(w, 14 * offsetof<P>() + 16), v128.load(w, 15 * offsetof<P>() + 16),
      );
    }
    if (width > 32) {
      sumC = mac8(
        sumC, x0, x1, x2, x3, x4, x5, x6, x7,
        v128.load(w, 0 * offsetof<P>() + 32), v128.load(w, 1 * offsetof<P>() + 32),
        v128.load(w, 2 * offsetof<P>() + 32), v128.load(w, 3 * offsetof<P>() + 32),
        v128.load(w, 4 * offsetof<P>() + 32), v128.load(w, 5 * offsetof<P>() + 32),
        v128.load(w, 6 * offsetof<P>() + 32), v128.load(w, 7 * offsetof<P>() + 32),
      );
      sumC = mac8(
        sumC, x8, x9, x10, x11, x12, x13, x14, x15,
        v128.load(w, 8 * offsetof<P>() + 32), v128.load(w, 9 * offsetof<P>() + 32),
        v128.load(w, 10 * offsetof<P>() + 32), v128.load(w, 11 * offsetof<P>() + 32),
        v128.load(w, 12 * offsetof<P>() + 32), v128.load(w, 13 * offsetof<P>() + 32),
        v128.load(w, 14 * offsetof<P>() + 32), v128.load(w, 15 * offsetof<P>() + 32),
      );
    }
    if (width > 48) {
      sumD = mac8(
        sumD, x0, x1, x2, x3, x4, x5, x6, x7,
        v128.load(w, 0 * offsetof<P>() + 48), v128.load(w, 1 * offsetof<P>() + 48),
        v128.load(w, 2 * offsetof<P>() + 48), v128.load(w, 3 * offsetof<P>() + 48),
        v128.load(w, 4 * offsetof<P>() + 48), v128.load(w, 5 * offsetof<P>() + 48),
        v128.load(w, 6 * offsetof<P>() + 48), v128.load(w, 7 * offsetof<P>() + 48),
      );
      sumD = mac8(
        sumD, x8, x9, x10, x11, x12, x13, x14, x15,
        v128.load(w, 8 * offsetof<P>() + 48), v128.load(w, 9 * offsetof<P>() + 48),
        v128.load(w, 10 * offsetof<P>() + 48), v128.load(w, 11 * offsetof<P>() + 48),
        v128.load(w, 12 * offsetof<P>() + 48), v128.load(w, 13 * offsetof<P>() + 48),
        v128.load(w, 14 * offsetof<P>() + 48), v128.load(w, 15 * offsetof<P>() + 48),
      );
    }
    x += 64;
    w += 16 * width;
  } while (--n);
  n = depth & 15;
  if (n != 0) do {
    const x0 = v128.load32_splat(x);
    sumA = f32x4.add(sumA, f32x4.mul(x0, v128.load(w)));
    if (width > 16) sumB = f32x4.add(sumB, f32x4.mul(x0, v128.load(w, 16)));
    if (width > 32) sumC = f32x4.add(sumC, f32x4.mul(x0, v128.load(w, 32)));
    if (width > 48) sumD = f32x4.add(sumD, f32x4.mul(x0, v128.load(w, 48)));
    x += 4;
    w += width;
  } while (--n);
  if (clamp) {
    const low = clampLow();
    const high = clampHigh();
    sumA = f32x4.pmin(f32x4.pmax(sumA, low), high);
    if (width > 16) sumB = f32x4.pmin(f32x4.pmax(sumB, low), high);
    if (width > 32) sumC = f32x4.pmin(f32x4.pmax(sumC, low), high);
    if (width > 48) sumD = f32x4.pmin(f32x4.pmax(sumD, low), high);
  }
  v128.store(out, sumA);
  if (width > 16) v128.store(out, sumB, 16);
  if (width > 32) v128.store(out, sumC, 32);
  if (width > 48) v128.store(out, sumD, 48);
}

/** Runs the kernel on a panel of `width` bytes an input channel: 16, 32, 48 or 64. */
export function gemv(
  width: usize, clamp: bool, x: usize, depth: u32, w: usize, bias: usize, out: usize,
): void {
  if (width == 64) {
    if (clamp) body<Panel16>(true, x, depth, w, bias, out);
    else body<Panel16>(false, x, depth, w, bias, out);
  } else if (width == 32) {
    if (clamp) body<Panel8>(true, x, depth, w, bias, out);
    else body<Panel8>(false, x, depth, w, bias, out);
  } else if (width == 16) {
    if (clamp) body<Panel4>(true, x, depth, w, bias, out);
    else body<Panel4>(false, x, depth, w, bias, out);
  } else {
    if (clamp) body<Panel12>(true, x, depth, w, bias, out);
    else body<Panel12>(false, x, depth, w, bias, out);
  }
}
