import { storeTail } from './lanes';

@inline
function plain(sums: usize, row: v128): v128 {
  return f32x4.mul(v128.load(sums), row);
}

@inline
function perChannel(sums: usize, row: v128, channel: v128): v128 {
  return f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(v128.load(sums)), row), channel);
}

/**
 * out[j] = sums[j] * row * scales[j] + bias[j] for `n` >= 1 channels. The sums are integers, four every
 * `step` bytes. Reads scales and bias up to a whole vector.
 */
export function scaleIntegerSums(
  sums: usize, step: usize, row: f32, scales: usize, bias: usize, out: usize, n: u32,
): void {
  const unit = f32x4.splat(row);
  for (let pairs = n >>> 3; pairs != 0; pairs--, scales += 32, bias += 32, out += 32) {
    v128.store(out, f32x4.add(perChannel(sums, unit, v128.load(scales)), v128.load(bias)));
    sums += step;
    v128.store(out, f32x4.add(perChannel(sums, unit, v128.load(scales, 16)), v128.load(bias, 16)), 16);
    sums += step;
  }
  n &= 7;
  if (n >= 4) {
    v128.store(out, f32x4.add(perChannel(sums, unit, v128.load(scales)), v128.load(bias)));
    sums += step;
    scales += 16;
    bias += 16;
    out += 16;
    n -= 4;
  }
  if (n != 0) {
    storeTail(out, f32x4.add(perChannel(sums, unit, v128.load(scales)), v128.load(bias)), n);
  }
}

/** out[j] = sums[j] * row + bias[j] for `n` >= 1 channels; the sums are floats, four every `step` bytes. */
export function scaleSums(sums: usize, step: usize, row: f32, bias: usize, out: usize, n: u32): void {
  const unit = f32x4.splat(row);
  for (let pairs = n >>> 3; pairs != 0; pairs--, bias += 32, out += 32) {
    v128.store(out, f32x4.add(plain(sums, unit), v128.load(bias)));
    sums += step;
    v128.store(out, f32x4.add(plain(sums, unit), v128.load(bias, 16)), 16);
    sums += step;
  }
  n &= 7;
  if (n >= 4) {
    v128.store(out, f32x4.add(plain(sums, unit), v128.load(bias)));
    sums += step;
    bias += 16;
    out += 16;
    n -= 4;
  }
  if (n != 0) storeTail(out, f32x4.add(plain(sums, unit), v128.load(bias)), n);
}
