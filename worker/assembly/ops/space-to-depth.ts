import { failInput, input, output, outputAlloc, progress, setProgress } from '../tensor/node';
import { dtypeBytes } from '../tensor/tensor';
import { spaceToDepthBlock } from './generated/attributes';
import { DONE, FAILED } from './status';
import { addStrided, beginStrided, runStrided } from './strided';

/** X [n,c,h,w] to [n,c*b*b,h/b,w/b]. */
export function spaceToDepth(): i32 {
  const x = input(0);
  const out = output(0);
  const block = spaceToDepthBlock();
  if (progress == 0) {
    const fits = x.rank == 4 && block != 0 && block <= 0xffff && x.dim(2) % block == 0 && x.dim(3) % block == 0;
    if (!fits || <u64>x.dim(1) * block * block > u64(u32.MAX_VALUE)) {
      failInput(0, '[batch, channels, height, width] with multiples of the block in height and width');
      return FAILED;
    }
    out.setDim(0, x.dim(0));
    out.setDim(1, x.dim(1) * block * block);
    out.setDim(2, x.dim(2) / block);
    out.setDim(3, x.dim(3) / block);
    if (!outputAlloc(0, x.dtype, 4)) return FAILED;
    setProgress(1);
  }
  if (out.byteLength == 0) return DONE;
  const bytes = dtypeBytes(x.dtype);
  const row = <usize>x.dim(3) * bytes;
  const plane = <usize>x.dim(2) * row;
  beginStrided();
  addStrided(x.dim(0), <usize>x.dim(1) * plane);
  addStrided(block, row);
  addStrided(block, bytes);
  addStrided(x.dim(1), plane);
  addStrided(out.dim(2), <usize>block * row);
  addStrided(out.dim(3), <usize>block * bytes);
  return runStrided(out.data, x.data, bytes);
}
