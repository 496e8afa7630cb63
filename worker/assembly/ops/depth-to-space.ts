import { failInput, input, output, outputAlloc, progress, setProgress } from '../tensor/node';
import { dtypeBytes } from '../tensor/tensor';
import { depthToSpaceBlock, depthToSpaceColumns } from './generated/attributes';
import { DONE, FAILED } from './status';
import { addStrided, beginStrided, runStrided } from './strided';

/** X [n,c,h,w] to [n,c/b/b,h*b,w*b]. */
export function depthToSpace(): i32 {
  const x = input(0);
  const out = output(0);
  const block = depthToSpaceBlock();
  if (progress == 0) {
    if (x.rank != 4 || block == 0 || block > 0xffff || x.dim(1) % (block * block) != 0) {
      failInput(0, '[batch, channels, height, width] with a multiple of the squared block of channels');
      return FAILED;
    }
    const most: u64 = u32.MAX_VALUE;
    if (<u64>x.dim(2) * block > most || <u64>x.dim(3) * block > most) {
      failInput(0, 'of a size that is below 2^32 in the end');
      return FAILED;
    }
    out.setDim(0, x.dim(0));
    out.setDim(1, x.dim(1) / (block * block));
    out.setDim(2, x.dim(2) * block);
    out.setDim(3, x.dim(3) * block);
    if (!outputAlloc(0, x.dtype, 4)) return FAILED;
    setProgress(1);
  }
  if (out.byteLength == 0) return DONE;
  const bytes = dtypeBytes(x.dtype);
  const plane = <usize>x.dim(2) * x.dim(3) * bytes;
  const channels = out.dim(1);
  const columns = depthToSpaceColumns();
  beginStrided();
  addStrided(x.dim(0), <usize>x.dim(1) * plane);
  addStrided(channels, columns ? <usize>block * block * plane : plane);
  addStrided(x.dim(2), <usize>x.dim(3) * bytes);
  addStrided(block, columns ? <usize>block * plane : <usize>block * channels * plane);
  addStrided(x.dim(3), bytes);
  addStrided(block, columns ? plane : <usize>channels * plane);
  return runStrided(out.data, x.data, bytes);
}
