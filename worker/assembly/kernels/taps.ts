/** First tap inside the image for the window that begins at input index `at`; it may be beyond the window. */
@inline
export function firstTap(at: i32, dilation: i32): i32 {
  return at >= 0 ? 0 : (dilation - 1 - at) / dilation;
}

/** First tap beyond an image of `size` for the window that begins at input index `at`. */
@inline
export function endTap(at: i32, size: i32, kernel: i32, dilation: i32): i32 {
  return at >= size ? 0 : min(kernel, (size - 1 - at) / dilation + 1);
}

/** {@link endTap} of windows that mostly lie inside: those need no division. */
@inline
export function endTapMostlyInside(at: i32, size: i32, kernel: i32, dilation: i32): i32 {
  return at + (kernel - 1) * dilation < size ? kernel : endTap(at, size, kernel, dilation);
}
