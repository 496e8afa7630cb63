/** Bounds that kernels clamp their results to, where they are told to. */
let lowest: f32 = -Infinity;
let highest: f32 = Infinity;

export function setClamp(low: f32, high: f32): void {
  lowest = low;
  highest = high;
}

@inline
export function clampLow(): v128 {
  return f32x4.splat(lowest);
}

@inline
export function clampHigh(): v128 {
  return f32x4.splat(highest);
}
