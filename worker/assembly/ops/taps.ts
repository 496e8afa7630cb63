/** First tap inside an image for the window that begins at `at`; `kernel` where there is none. */
@inline
export function firstTap(at: i32, dilation: i32, kernel: i32): i32 {
  return at >= 0 ? 0 : min(kernel, (dilation - 1 - at) / dilation);
}

/** First tap beyond an image of `size`; not before {@link firstTap}. */
@inline
export function endTap(at: i32, size: i32, dilation: i32, kernel: i32): i32 {
  if (at + (kernel - 1) * dilation < size) return kernel;
  return at >= size ? 0 : min(kernel, (size - 1 - at) / dilation + 1);
}
