/** Loads 1 to 3 floats into the first lanes; the rest is 0. Reads nothing beyond them. */
@inline
export function loadTail(address: usize, count: u32): v128 {
  let x = v128.load32_zero(address);
  if (count > 1) x = v128.load32_lane(address, x, 1, 4);
  if (count > 2) x = v128.load32_lane(address, x, 2, 8);
  return x;
}

/** Stores the first 1 to 3 lanes. */
@inline
export function storeTail(address: usize, x: v128, count: u32): void {
  v128.store32_lane(address, x, 0);
  if (count > 1) v128.store32_lane(address, x, 1, 4);
  if (count > 2) v128.store32_lane(address, x, 2, 8);
}
