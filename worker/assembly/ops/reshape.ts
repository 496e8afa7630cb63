import { number, text } from '../tensor/errors';
import { failInput, hasInput, input, output, progress } from '../tensor/node';
import { MAX_RANK } from '../tensor/tensor';
import { indexAt, isIndexes } from './axes';
import { reshapeAllowZero } from './generated/attributes';
import { copyOn, sameBytes } from './same-bytes';
import { FAILED } from './status';

/** The same elements in the shape that input 1 names. */
export function reshape(): i32 {
  if (progress != 0) return copyOn();
  const x = input(0);
  const out = output(0);
  const target = input(1);
  if (!hasInput(1) || !isIndexes(target) || target.count() > MAX_RANK) {
    failInput(1, 'int64 with at most 8 sizes');
    return FAILED;
  }
  const rank = target.count();
  const count: u64 = x.count();
  let known: u64 = 1;
  let inferred = -1;
  for (let i: u32 = 0; i < rank; i++) {
    let size = indexAt(target, i);
    if (size == 0 && !reshapeAllowZero() && i < x.rank) size = x.dim(i);
    if (size == -1 && inferred < 0) inferred = i;
    else if (size < 0 || size > i64(u32.MAX_VALUE)) return failShape(rank);
    else {
      out.setDim(i, <u32>size);
      // Saturated, so that a size of 0 after it makes 0 of it.
      known = min<u64>(known * <u64>size, u64(1) << 32);
    }
  }
  if (inferred >= 0) {
    if (known == 0 || count % known != 0) return failShape(rank);
    out.setDim(inferred, <u32>(count / known));
  } else if (known != count) return failShape(rank);
  return sameBytes(rank);
}

function failShape(rank: u32): i32 {
  failInput(0, 'of a size that the shape [');
  for (let i: u32 = 0; i < rank; i++) {
    if (i > 0) text(',');
    number(indexAt(input(1), i));
  }
  text('] holds');
  return FAILED;
}
