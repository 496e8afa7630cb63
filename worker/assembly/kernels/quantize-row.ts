/** The least that a row's largest magnitude is taken for, so that its inverse is finite. */
const LEAST: f32 = 1e-30;

@inline
function magnitude(x: v128): v128 {
  return v128.and(x, i32x4.splat(0x7fffffff));
}

/** Largest magnitude of `count` floats; NaN where one is. */
function largest(p: usize, count: u32): f32 {
  let m = i32x4.splat(0);
  let n = count >>> 6;
  if (n != 0) do {
    m = i32x4.max_s(m, magnitude(v128.load(p, 0)));
    m = i32x4.max_s(m, magnitude(v128.load(p, 16)));
    m = i32x4.max_s(m, magnitude(v128.load(p, 32)));
    m = i32x4.max_s(m, magnitude(v128.load(p, 48)));
    m = i32x4.max_s(m, magnitude(v128.load(p, 64)));
    m = i32x4.max_s(m, magnitude(v128.load(p, 80)));
    m = i32x4.max_s(m, magnitude(v128.load(p, 96)));
    m = i32x4.max_s(m, magnitude(v128.load(p, 112)));
    m = i32x4.max_s(m, magnitude(v128.load(p, 128)));
    m = i32x4.max_s(m, magnitude(v128.load(p, 144)));
    m = i32x4.max_s(m, magnitude(v128.load(p, 160)));
    m = i32x4.max_s(m, magnitude(v128.load(p, 176)));
    m = i32x4.max_s(m, magnitude(v128.load(p, 192)));
    m = i32x4.max_s(m, magnitude(v128.load(p, 208)));
    m = i32x4.max_s(m, magnitude(v128.load(p, 224)));
    m = i32x4.max_s(m, magnitude(v128.load(p, 240)));
    p += 256;
  } while (--n);
  for (n = (count >>> 2) & 15; n != 0; n--, p += 16) m = i32x4.max_s(m, magnitude(v128.load(p)));
  // Of integers, a NaN's bits are larger than those of infinity.
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
  let n = count >>> 6;
  if (n != 0) do {
    v128.store(dst, i16x8.narrow_i32x4_s(integers(v128.load(p, 0), inverse), integers(v128.load(p, 16), inverse)), 0);
    v128.store(dst, i16x8.narrow_i32x4_s(integers(v128.load(p, 32), inverse), integers(v128.load(p, 48), inverse)), 16);
    v128.store(dst, i16x8.narrow_i32x4_s(integers(v128.load(p, 64), inverse), integers(v128.load(p, 80), inverse)), 32);
    v128.store(dst, i16x8.narrow_i32x4_s(integers(v128.load(p, 96), inverse), integers(v128.load(p, 112), inverse)), 48);
    v128.store(dst, i16x8.narrow_i32x4_s(integers(v128.load(p, 128), inverse), integers(v128.load(p, 144), inverse)), 64);
    v128.store(dst, i16x8.narrow_i32x4_s(integers(v128.load(p, 160), inverse), integers(v128.load(p, 176), inverse)), 80);
    v128.store(dst, i16x8.narrow_i32x4_s(integers(v128.load(p, 192), inverse), integers(v128.load(p, 208), inverse)), 96);
    v128.store(dst, i16x8.narrow_i32x4_s(integers(v128.load(p, 224), inverse), integers(v128.load(p, 240), inverse)), 112);
    p += 256;
    dst += 128;
  } while (--n);
  for (n = (count >>> 3) & 7; n != 0; n--, p += 32, dst += 16) {
    v128.store(dst, i16x8.narrow_i32x4_s(integers(v128.load(p), inverse), integers(v128.load(p, 16), inverse)));
  }
  for (n = count & 7; n != 0; n--, p += 4, dst += 2) {
    store<i16>(dst, <i16>i32x4.extract_lane(integers(v128.load32_zero(p), inverse), 0));
  }
  for (n = padded - count; n != 0; n--, dst += 2) store<i16>(dst, 0);
  return top / range;
}
