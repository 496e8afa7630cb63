/** The least that a row's largest magnitude is taken for, so that its inverse is finite. */
const LEAST: f32 = 1e-30;

@inline
function magnitude(x: v128): v128 {
  return v128.and(x, i32x4.splat(0x7fffffff));
}

/** Larger of `m` and the magnitudes of 16 floats, as bits: those of a NaN are the largest of all. */
@inline
function largest16(m: v128, p: usize): v128 {
  m = i32x4.max_s(m, magnitude(v128.load(p)));
  m = i32x4.max_s(m, magnitude(v128.load(p, 16)));
  m = i32x4.max_s(m, magnitude(v128.load(p, 32)));
  return i32x4.max_s(m, magnitude(v128.load(p, 48)));
}

/** Largest magnitude of `count` floats; NaN where one is. */
function largest(p: usize, count: u32): f32 {
  let m = i32x4.splat(0);
  let n = count >>> 6;
  if (n != 0) do {
    m = largest16(m, p);
    m = largest16(m, p + 64);
    m = largest16(m, p + 128);
    m = largest16(m, p + 192);
    p += 256;
  } while (--n);
  for (n = (count >>> 2) & 15; n != 0; n--, p += 16) m = i32x4.max_s(m, magnitude(v128.load(p)));
  let most = max(
    max(i32x4.extract_lane(m, 0), i32x4.extract_lane(m, 1)),
    max(i32x4.extract_lane(m, 2), i32x4.extract_lane(m, 3)),
  );
  for (n = count & 3; n != 0; n--, p += 4) most = max(most, load<i32>(p) & 0x7fffffff);
  return reinterpret<f32>(most);
}

@inline
function integers(x: v128, inverse: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(x, inverse)));
}

/** Eight floats at `p` to 16-bit integers. */
@inline
function integers8(p: usize, inverse: v128): v128 {
  return i16x8.narrow_i32x4_s(integers(v128.load(p), inverse), integers(v128.load(p, 16), inverse));
}

/**
 * A row of `count` floats as 16-bit integers of at most `range`, then zeros up to `padded`. Returns what
 * one unit of them stands for. NaN and infinities have no such form: the unit is NaN, and so are all
 * products with it.
 */
export function quantizeRow(p: usize, count: u32, dst: usize, padded: u32, range: f32): f32 {
  const most = largest(p, count);
  if (!(most < Infinity)) {
    memory.fill(dst, 0, <usize>padded << 1);
    return NaN;
  }
  const top = most > LEAST ? most : LEAST;
  const inverse = f32x4.splat(range / top);
  let n = count >>> 5;
  if (n != 0) do {
    v128.store(dst, integers8(p, inverse));
    v128.store(dst, integers8(p + 32, inverse), 16);
    v128.store(dst, integers8(p + 64, inverse), 32);
    v128.store(dst, integers8(p + 96, inverse), 48);
    p += 128;
    dst += 64;
  } while (--n);
  for (n = count & 31; n != 0; n--, p += 4, dst += 2) {
    store<i16>(dst, <i16>i32x4.extract_lane(integers(v128.load32_zero(p), inverse), 0));
  }
  for (n = padded - count; n != 0; n--, dst += 2) store<i16>(dst, 0);
  return top / range;
}
