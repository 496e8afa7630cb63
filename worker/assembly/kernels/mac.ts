/** acc + x0 * w0 + .. + x3 * w3, added from left to right, four lanes. */
@inline
export function mac4(
  acc: v128,
  x0: v128, x1: v128, x2: v128, x3: v128,
  w0: v128, w1: v128, w2: v128, w3: v128,
): v128 {
  acc = f32x4.add(acc, f32x4.mul(x0, w0));
  acc = f32x4.add(acc, f32x4.mul(x1, w1));
  acc = f32x4.add(acc, f32x4.mul(x2, w2));
  return f32x4.add(acc, f32x4.mul(x3, w3));
}

/** acc + x0 * w0 + .. + x7 * w7, added from left to right, four lanes. */
@inline
export function mac8(
  acc: v128,
  x0: v128, x1: v128, x2: v128, x3: v128, x4: v128, x5: v128, x6: v128, x7: v128,
  w0: v128, w1: v128, w2: v128, w3: v128, w4: v128, w5: v128, w6: v128, w7: v128,
): v128 {
  acc = mac4(acc, x0, x1, x2, x3, w0, w1, w2, w3);
  return mac4(acc, x4, x5, x6, x7, w4, w5, w6, w7);
}
