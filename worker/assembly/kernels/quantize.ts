import { DType } from '../generated/constants';

/** Four numbers divided by their scales and rounded half to even, kept within bounds. NaN is the lower bound. */
@inline
function rounded(x: v128, scale: v128, low: v128, high: v128): v128 {
  const kept = f32x4.pmin(high, f32x4.pmax(low, f32x4.div(x, scale)));
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(kept));
}

/** Eight 32-bit integers within the bounds of T, as such. */
@inline
function storeEight<T>(dst: usize, a: v128, b: v128): void {
  const words = isSigned<T>() || sizeof<T>() == 1 ? i16x8.narrow_i32x4_s(a, b) : i16x8.narrow_i32x4_u(a, b);
  if (sizeof<T>() == 2) v128.store(dst, words);
  else if (isSigned<T>()) v128.store64_lane(dst, i8x16.narrow_i16x8_s(words, words), 0);
  else v128.store64_lane(dst, i8x16.narrow_i16x8_u(words, words), 0);
}

/**
 * Four numbers divided by their scale and rounded half to even, plus the zero point; `low` is the least integer
 * less that. NaN is the least; what is above the greatest is so still.
 */
@inline
function shifted(x: v128, scale: v128, low: v128, zero: v128): v128 {
  const kept = f32x4.nearest(f32x4.pmax(low, f32x4.div(x, scale)));
  return i32x4.trunc_sat_f32x4_s(f32x4.add(kept, zero));
}

@inline
function narrowEight<T>(a: v128, b: v128): v128 {
  return isSigned<T>() || sizeof<T>() == 1 ? i16x8.narrow_i32x4_s(a, b) : i16x8.narrow_i32x4_u(a, b);
}

/** dst[i] = x[i] / scale, rounded half to even, plus the zero point, kept within what T holds. */
export function quantizeRun<T>(x: usize, dst: usize, n: u32, scale: f32, zero: i32): void {
  const least = <i32>(isSigned<T>() ? -(1 << (8 * sizeof<T>() - 1)) : 0);
  const low = f32x4.splat(<f32>(least - zero));
  const scales = f32x4.splat(scale);
  const zeros = f32x4.splat(<f32>zero);
  for (; n >= 16; n -= 16, x += 64, dst += 16 * sizeof<T>()) {
    const a = narrowEight<T>(shifted(v128.load(x), scales, low, zeros), shifted(v128.load(x, 16), scales, low, zeros));
    const b = narrowEight<T>(shifted(v128.load(x, 32), scales, low, zeros), shifted(v128.load(x, 48), scales, low, zeros));
    if (sizeof<T>() == 2) {
      v128.store(dst, a);
      v128.store(dst, b, 16);
    } else v128.store(dst, isSigned<T>() ? i8x16.narrow_i16x8_s(a, b) : i8x16.narrow_i16x8_u(a, b));
  }
  for (; n != 0; n--, x += 4, dst += sizeof<T>()) {
    const a = shifted(v128.load32_splat(x), scales, low, zeros);
    const words = narrowEight<T>(a, a);
    if (sizeof<T>() == 2) v128.store16_lane(dst, words, 0);
    else v128.store8_lane(dst, isSigned<T>() ? i8x16.narrow_i16x8_s(words, words) : i8x16.narrow_i16x8_u(words, words), 0);
  }
}

/** {@link quantizeRun} with a scale, and a zero point of 32 bits, for each element. */
export function quantizeEach<T>(x: usize, dst: usize, n: u32, scale: usize, zero: usize): void {
  const least = f32x4.splat(<f32>(isSigned<T>() ? -(1 << (8 * sizeof<T>() - 1)) : 0));
  const most = f32x4.add(least, f32x4.splat(<f32>((1 << (8 * sizeof<T>())) - 1)));
  for (; n >= 8; n -= 8, x += 32, scale += 32, zero += 32, dst += 8 * sizeof<T>()) {
    storeEight<T>(
      dst, four(v128.load(x), v128.load(scale), v128.load(zero), least, most),
      four(v128.load(x, 16), v128.load(scale, 16), v128.load(zero, 16), least, most),
    );
  }
  for (; n != 0; n--, x += 4, scale += 4, zero += 4, dst += sizeof<T>()) {
    const a = four(v128.load32_splat(x), v128.load32_splat(scale), v128.load32_splat(zero), least, most);
    store<T>(dst, <T>i32x4.extract_lane(a, 0));
  }
}

@inline
function four(x: v128, scale: v128, zero: v128, least: v128, most: v128): v128 {
  const shift = f32x4.convert_i32x4_s(zero);
  return i32x4.add(rounded(x, scale, f32x4.sub(least, shift), f32x4.sub(most, shift)), zero);
}

/** Elements 0 to 3 of eight that were loaded, or 4 to 7, as 32-bit integers. */
@inline
function low4<T>(x: v128): v128 {
  return sizeof<T>() == 1 || isSigned<T>() ? i32x4.extend_low_i16x8_s(x) : i32x4.extend_low_i16x8_u(x);
}
@inline
function high4<T>(x: v128): v128 {
  return sizeof<T>() == 1 || isSigned<T>() ? i32x4.extend_high_i16x8_s(x) : i32x4.extend_high_i16x8_u(x);
}
@inline
function loadEight<T>(p: usize): v128 {
  if (sizeof<T>() == 2) return v128.load(p);
  return isSigned<T>() ? v128.load_ext<i8>(p) : v128.load_ext<u8>(p);
}

/** dst[i] = (x[i] - zero) * scale as f32. */
export function dequantizeRun<T>(x: usize, dst: usize, n: u32, scale: f32, zero: i32): void {
  const scales = f32x4.splat(scale);
  const zeros = i32x4.splat(zero);
  if (sizeof<T>() < 4) {
    for (; n >= 8; n -= 8, x += 8 * sizeof<T>(), dst += 32) {
      const a = loadEight<T>(x);
      v128.store(dst, f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(low4<T>(a), zeros)), scales));
      v128.store(dst, f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(high4<T>(a), zeros)), scales), 16);
    }
  }
  for (; n != 0; n--, x += sizeof<T>(), dst += 4) store<f32>(dst, <f32>(<i32>load<T>(x) - zero) * scale);
}

/** {@link dequantizeRun} with a scale, and a zero point of 32 bits, for each element. */
export function dequantizeEach<T>(x: usize, dst: usize, n: u32, scale: usize, zero: usize): void {
  if (sizeof<T>() < 4) {
    for (; n >= 8; n -= 8, x += 8 * sizeof<T>(), scale += 32, zero += 32, dst += 32) {
      const a = loadEight<T>(x);
      const b = f32x4.convert_i32x4_s(i32x4.sub(low4<T>(a), v128.load(zero)));
      const c = f32x4.convert_i32x4_s(i32x4.sub(high4<T>(a), v128.load(zero, 16)));
      v128.store(dst, f32x4.mul(b, v128.load(scale)));
      v128.store(dst, f32x4.mul(c, v128.load(scale, 16)), 16);
    }
  }
  for (; n != 0; n--, x += sizeof<T>(), scale += 4, zero += 4, dst += 4) {
    store<f32>(dst, <f32>(<i32>load<T>(x) - load<i32>(zero)) * load<f32>(scale));
  }
}

/**
 * Quantizes to integers of a type. Scale and zero point are those of all elements, or, where they vary, of the
 * first, followed by those of the others. False where there is no kernel for the type.
 */
export function quantizeTo(type: u32, varies: bool, x: usize, dst: usize, n: u32, scale: usize, zero: usize): bool {
  if (type == DType.int8) quantizeAll<i8>(varies, x, dst, n, scale, zero);
  else if (type == DType.uint8) quantizeAll<u8>(varies, x, dst, n, scale, zero);
  else if (type == DType.int16) quantizeAll<i16>(varies, x, dst, n, scale, zero);
  else if (type == DType.uint16) quantizeAll<u16>(varies, x, dst, n, scale, zero);
  else return false;
  return true;
}

@inline
function quantizeAll<T>(varies: bool, x: usize, dst: usize, n: u32, scale: usize, zero: usize): void {
  if (varies) quantizeEach<T>(x, dst, n, scale, zero);
  else quantizeRun<T>(x, dst, n, load<f32>(scale), load<i32>(zero));
}

/** As {@link quantizeTo}, from integers to f32. */
export function dequantizeFrom(type: u32, varies: bool, x: usize, dst: usize, n: u32, scale: usize, zero: usize): bool {
  if (type == DType.int8) dequantizeAll<i8>(varies, x, dst, n, scale, zero);
  else if (type == DType.uint8) dequantizeAll<u8>(varies, x, dst, n, scale, zero);
  else if (type == DType.int16) dequantizeAll<i16>(varies, x, dst, n, scale, zero);
  else if (type == DType.uint16) dequantizeAll<u16>(varies, x, dst, n, scale, zero);
  else if (type == DType.int32) dequantizeAll<i32>(varies, x, dst, n, scale, zero);
  else return false;
  return true;
}

@inline
function dequantizeAll<T>(varies: bool, x: usize, dst: usize, n: u32, scale: usize, zero: usize): void {
  if (varies) dequantizeEach<T>(x, dst, n, scale, zero);
  else dequantizeRun<T>(x, dst, n, load<f32>(scale), load<i32>(zero));
}
