/**
 * e^x, four lanes; relative error below 2e-7. Below -87.3 the result is about 1e-38 instead of less,
 * above 88.72 the largest finite numbers; NaN stays NaN.
 *
 * x = n ln 2 + r with |r| <= ln 2 / 2; e^r by a minimax polynomial, 2^n by the exponent bits.
 */
@inline
export function exp4(x: v128): v128 {
  x = f32x4.pmin(f32x4.pmax(x, f32x4.splat(-87.3)), f32x4.splat(88.72));
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.44269504)));
  // ln 2 in two parts, the first with few bits, so that n times it is exact.
  const r = f32x4.sub(
    f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375))),
    f32x4.mul(n, f32x4.splat(-2.12194440e-4)),
  );
  let p = f32x4.add(f32x4.mul(r, f32x4.splat(0.008297644555568695)), f32x4.splat(0.041915420442819595));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.16667574644088745));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.49998894333839417));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.9999997019767761));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.0000001192092896));
  return i32x4.add(p, i32x4.shl(i32x4.trunc_sat_f32x4_s(n), 23));
}

/** 1 / (1 + e^-x), four lanes. */
@inline
export function sigmoid4(x: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(x))));
}
