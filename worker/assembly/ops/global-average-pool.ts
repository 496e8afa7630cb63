import { DType } from '../generated/constants';
import { failInput, input, output, outputAlloc, progress, setProgress, setSlot, slot } from '../tensor/node';
import { SLOT_PIXEL, window } from './pool';
import { DONE, FAILED, YIELD } from './status';

/** X [n,h,w,c] to [n,1,1,c]. */
export function globalAveragePool(): i32 {
  const x = input(0);
  const out = output(0);
  const isEmpty = x.rank == 4 && x.dim(1) * x.dim(2) == 0 && x.dim(0) * x.dim(3) != 0;
  if (x.dtype != DType.float32 || x.rank != 4 || isEmpty) {
    failInput(0, 'float32 [batch, height, width, channels] with at least one pixel');
    return FAILED;
  }
  if (progress == 0) {
    out.shapeLike(x);
    out.setDim(1, 1);
    out.setDim(2, 1);
    if (!outputAlloc(0, DType.float32, 4)) return FAILED;
    setProgress(1);
  }
  if (out.byteLength == 0) return DONE;
  const pixels = x.dim(1) * x.dim(2);
  const c = x.dim(3);
  const step = <usize>c << 2;
  for (let n = slot(SLOT_PIXEL); n < x.dim(0); n++) {
    const image = x.data + <usize>n * pixels * step;
    if (!window(false, image, step, 0, pixels, 1, c, out.data + <usize>n * step, <f32>pixels)) {
      setSlot(SLOT_PIXEL, n);
      return YIELD;
    }
  }
  return DONE;
}
