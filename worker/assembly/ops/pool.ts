import { DType } from '../generated/constants';
import { averagePixel, maxPixel } from '../kernels/pool';
import { spent } from '../tensor/budget';
import { attr, failInput, input, output, outputAlloc, progress, setProgress, setSlot, slot } from '../tensor/node';
import {
  batch, channels, dilationH, dilationW, height, kernelH, kernelW, outHeight, outWidth, padLeft, padTop, readImage,
  strideH, strideW, width,
} from './image';
import { DONE, FAILED, YIELD } from './status';

/** X [n,h,w,c]. Words: kernelH, kernelW, strideH, strideW, pads, dilationH, dilationW, ceilMode. */
export function maxPool(): i32 {
  return pool(true, false);
}

/** X [n,h,w,c]. Words as MaxPool, then countIncludePad. */
export function averagePool(): i32 {
  return pool(false, attr(11) != 0);
}

/** X [n,h,w,c] to [n,1,1,c]. */
export function globalAveragePool(): i32 {
  const x = input(0);
  const out = output(0);
  if (x.dtype != DType.float32 || x.rank != 4 || x.dim(1) * x.dim(2) == 0) {
    failInput(0, 'float32 [batch, height, width, channels], not empty');
    return FAILED;
  }
  if (progress == 0) {
    out.shapeLike(x);
    out.setDim(1, 1);
    out.setDim(2, 1);
    if (!outputAlloc(0, DType.float32, 4)) return FAILED;
    setProgress(1);
  }
  const pixels = x.dim(1) * x.dim(2);
  const c = x.dim(3);
  const step = <usize>c << 2;
  for (let n = slot(0); n < x.dim(0); n++) {
    averagePixel(x.data + <usize>n * pixels * step, step, 0, pixels, 1, c, out.data + <usize>n * step, <f32>pixels);
    if (spent(<u64>pixels * c * 3)) {
      setSlot(0, n + 1);
      return YIELD;
    }
  }
  return DONE;
}

/** First tap inside the image for the window that begins at input index `at`. */
@inline
function firstTap(at: i32, dilation: i32): i32 {
  return at >= 0 ? 0 : (dilation - 1 - at) / dilation;
}

/** First tap beyond `size` for the window that begins at input index `at`. */
@inline
function endTap(at: i32, size: i32, kernel: i32, dilation: i32): i32 {
  return at >= size ? 0 : min(kernel, (size - 1 - at) / dilation + 1);
}

function pool(largest: bool, includePad: bool): i32 {
  if (!readImage(attr(10) != 0)) return FAILED;
  const out = output(0);
  if (progress == 0) {
    out.setDim(0, batch);
    out.setDim(1, outHeight);
    out.setDim(2, outWidth);
    out.setDim(3, channels);
    if (!outputAlloc(0, DType.float32, 4)) return FAILED;
    setProgress(1);
  }
  const pixel = <usize>channels << 2;
  const stepX = <usize>dilationW * pixel;
  const stepY = <usize>(dilationH * width) * pixel;
  const rows = batch * outHeight;
  let to = out.data + <usize>(slot(0) * outWidth) * pixel;
  for (let row = slot(0); row < rows; row++) {
    const image = input(0).data + <usize>(row / outHeight) * <usize>(height * width) * pixel;
    const iy = <i32>(row % outHeight) * strideH - padTop;
    const ky0 = firstTap(iy, dilationH);
    const ky1 = endTap(iy, height, kernelH, dilationH);
    const countY = includePad ? endTap(iy, height + attr(6), kernelH, dilationH) : ky1 - ky0;
    for (let x = 0; x < outWidth; x++, to += pixel) {
      const ix = x * strideW - padLeft;
      const kx0 = firstTap(ix, dilationW);
      const kx1 = endTap(ix, width, kernelW, dilationW);
      const countX = includePad ? endTap(ix, width + attr(7), kernelW, dilationW) : kx1 - kx0;
      if (ky0 >= ky1 || kx0 >= kx1) {
        // A window of padding alone: no value is the largest, and the average is of zeros.
        for (let c: u32 = 0; c < channels; c++) store<f32>(to + (<usize>c << 2), largest ? f32.MIN_VALUE : 0);
        continue;
      }
      const from = image + <usize>((iy + ky0 * dilationH) * width + ix + kx0 * dilationW) * pixel;
      if (largest) maxPixel(from, stepX, stepY, kx1 - kx0, ky1 - ky0, channels, to);
      else averagePixel(from, stepX, stepY, kx1 - kx0, ky1 - ky0, channels, to, <f32>(countX * countY));
    }
    if (row + 1 < rows && spent(<u64>(outWidth * channels) * <u64>(kernelH * kernelW * 2 + 8))) {
      setSlot(0, row + 1);
      return YIELD;
    }
  }
  return DONE;
}
