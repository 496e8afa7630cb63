import { failInput, hasInput, input, output, progress } from '../tensor/node';
import { axesInput } from './axes';
import { copyOn, sameBytes } from './same-bytes';
import { FAILED } from './status';

/** X, axes i64? (absent or none: all of size 1). */
export function squeeze(): i32 {
  if (progress != 0) return copyOn();
  const x = input(0);
  let mask = 0;
  if (hasInput(1) && input(1).count() != 0) {
    mask = axesInput(x.rank, true);
    if (mask < 0) return FAILED;
  } else {
    for (let i: u32 = 0; i < x.rank; i++) if (x.dim(i) == 1) mask |= 1 << i;
  }
  let rank: u32 = 0;
  for (let i: u32 = 0; i < x.rank; i++) {
    if ((mask & (1 << i)) == 0) output(0).setDim(rank++, x.dim(i));
    else if (x.dim(i) != 1) {
      failInput(0, 'of size 1 along the axes to remove');
      return FAILED;
    }
  }
  return sameBytes(rank);
}
