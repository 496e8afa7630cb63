import { failInput, hasInput, input, output, outputAlloc, progress, setProgress } from '../tensor/node';
import { dtypeBytes, MAX_RANK } from '../tensor/tensor';
import { indexAt, isIndexes } from './axes';
import { DONE, FAILED } from './status';
import { addStrided, beginStrided, runStrided } from './strided';

/** X, shape i64: broadcast to the shape that both broadcast to. */
export function expand(): i32 {
  const x = input(0);
  const out = output(0);
  const shape = input(1);
  if (progress == 0) {
    if (!hasInput(1) || !isIndexes(shape) || shape.count() > MAX_RANK) {
      failInput(1, 'int64 with at most 8 sizes');
      return FAILED;
    }
    const rank = max(x.rank, shape.count());
    for (let i: u32 = 0; i < rank; i++) {
      const own: i64 = i + x.rank < rank ? 1 : x.dim(i + x.rank - rank);
      const wanted: i64 = i + shape.count() < rank ? 1 : indexAt(shape, i + shape.count() - rank);
      if (wanted < 0 || wanted > i64(u32.MAX_VALUE) || (own != wanted && own != 1 && wanted != 1)) {
        failInput(0, 'of a shape that broadcasts to the wanted one');
        return FAILED;
      }
      out.setDim(i, <u32>(own == 1 ? wanted : own));
    }
    if (!outputAlloc(0, x.dtype, rank)) return FAILED;
    setProgress(1);
  }
  if (out.byteLength == 0) return DONE;
  const bytes = dtypeBytes(x.dtype);
  const missing = out.rank - x.rank;
  beginStrided();
  for (let i: u32 = 0; i < out.rank; i++) {
    const broadcast = i < missing || x.dim(i - missing) == 1;
    addStrided(out.dim(i), broadcast ? 0 : <usize>x.product(i - missing + 1, x.rank) * bytes);
  }
  return runStrided(out.data, x.data, bytes);
}
