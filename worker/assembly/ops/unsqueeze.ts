import { failInput, hasInput, input, output, progress } from '../tensor/node';
import { MAX_RANK } from '../tensor/tensor';
import { axesInput } from './axes';
import { copyOn, sameBytes } from './same-bytes';
import { FAILED } from './status';

/** X, axes i64. */
export function unsqueeze(): i32 {
  if (progress != 0) return copyOn();
  const x = input(0);
  const rank = x.rank + (hasInput(1) ? input(1).count() : 0);
  if (!hasInput(1) || rank > MAX_RANK) {
    failInput(0, 'of at most 8 dimensions in the end');
    return FAILED;
  }
  const mask = axesInput(rank, false);
  if (mask < 0) return FAILED;
  let from: u32 = 0;
  for (let i: u32 = 0; i < rank; i++) {
    output(0).setDim(i, (mask & (1 << i)) != 0 ? 1 : x.dim(from++));
  }
  return sameBytes(rank);
}
