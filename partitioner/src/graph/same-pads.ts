/**
 * Padding before and after a dimension that `SAME_UPPER` and `SAME_LOWER` mean: as many positions as
 * `size / stride` rounded up. An odd one lies behind (`upper`) or before the dimension.
 */
export function samePads(
  size: number,
  kernel: number,
  stride: number,
  dilation: number,
  upper: boolean,
): [before: number, behind: number] {
  const steps = (Math.ceil(size / stride) - 1) * stride;
  const total = Math.max(0, steps + (kernel - 1) * dilation + 1 - size);
  const less = Math.floor(total / 2);
  return upper ? [less, total - less] : [total - less, less];
}
