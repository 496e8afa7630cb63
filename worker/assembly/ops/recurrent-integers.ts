/** States of a recurrent layer in 8 bits, as numbers of f32 that are whole. */

/**
 * Rounds `n` floats to whole numbers from 0 to 255 that cover all of them and 0, less the number that 0 becomes.
 * Returns the scale they are to be multiplied with.
 */
export function roundStates(x: usize, n: u32, to: usize): f32 {
  let least: f32 = 0;
  let most: f32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const value = load<f32>(x + (<usize>i << 2));
    least = min<f32>(least, value);
    most = max<f32>(most, value);
  }
  const scale: f32 = most == least ? 1 : (most - least) / 255;
  const zero = nearest<f32>(min<f32>(255, max<f32>(0, -least / scale)));
  const low = f32x4.splat(-zero);
  const high = f32x4.splat(<f32>255 - zero);
  const divisor = f32x4.splat(scale);
  let i: u32 = 0;
  for (; i + 4 <= n; i += 4) {
    const at = <usize>i << 2;
    const rounded = f32x4.nearest(f32x4.div(v128.load(x + at), divisor));
    v128.store(to + at, f32x4.min(high, f32x4.max(low, rounded)));
  }
  for (; i < n; i++) {
    const at = <usize>i << 2;
    const rounded = nearest<f32>(load<f32>(x + at) / scale);
    store<f32>(to + at, min<f32>(<f32>255 - zero, max<f32>(-zero, rounded)));
  }
  return scale;
}

/** Multiplies each of `n` sums of integers with the scale of the states and that of its column. */
export function scaleGates(sums: usize, n: u32, scale: f32, scales: usize): void {
  let i: u32 = 0;
  for (; i + 4 <= n; i += 4) {
    const at = <usize>i << 2;
    const factor = f32x4.mul(f32x4.splat(scale), v128.load(scales + at));
    v128.store(sums + at, f32x4.mul(v128.load(sums + at), factor));
  }
  for (; i < n; i++) {
    const at = <usize>i << 2;
    store<f32>(sums + at, load<f32>(sums + at) * (scale * load<f32>(scales + at)));
  }
}
