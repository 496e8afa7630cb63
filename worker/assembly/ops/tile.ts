import { failInput, hasInput, input, output, outputAlloc, progress, setProgress } from '../tensor/node';
import { dtypeBytes } from '../tensor/tensor';
import { indexAt, isIndexes } from './axes';
import { DONE, FAILED } from './status';
import { addStrided, beginStrided, runStrided } from './strided';

/** X, repeats: X as often along each dimension as its number says. */
export function tile(): i32 {
  const x = input(0);
  const out = output(0);
  if (progress == 0) {
    const repeats = input(1);
    if (!hasInput(1) || !isIndexes(repeats) || repeats.count() != x.rank) {
      failInput(1, 'int64, a number for each dimension');
      return FAILED;
    }
    for (let i: u32 = 0; i < x.rank; i++) {
      const times = indexAt(repeats, i);
      const most = i64(u32.MAX_VALUE);
      if (times < 0 || times > most || times * x.dim(i) > most) {
        failInput(1, 'numbers from 0 that make sizes below 2^32');
        return FAILED;
      }
      out.setDim(i, <u32>times * x.dim(i));
    }
    if (!outputAlloc(0, x.dtype, x.rank)) return FAILED;
    setProgress(1);
  }
  if (out.byteLength == 0) return DONE;
  const bytes = dtypeBytes(x.dtype);
  beginStrided();
  for (let i: u32 = 0; i < x.rank; i++) {
    addStrided(out.dim(i) / x.dim(i), 0);
    addStrided(x.dim(i), <usize>x.product(i + 1, x.rank) * bytes);
  }
  return runStrided(out.data, x.data, bytes);
}
