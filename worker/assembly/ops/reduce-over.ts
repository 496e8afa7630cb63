import { failInput, hasInput, input, output, progress } from '../tensor/node';
import { axesInput, isIndexes } from './axes';
import { reduceOverKeepDims, reduceOverKind, reduceOverNoop } from './generated/attributes';
import { reduceAxes } from './reduce';
import { copyOn, sameBytes } from './same-bytes';
import { FAILED } from './status';

/** Reduce whose axes are computed. X, axes; no axes: all, or none where `noop` is set. */
export function reduceOver(): i32 {
  const x = input(0);
  if (!hasInput(1) || !isIndexes(input(1))) {
    failInput(1, 'int64 axes');
    return FAILED;
  }
  let mask = (1 << x.rank) - 1;
  if (input(1).count() != 0) mask = axesInput(x.rank, true);
  else if (reduceOverNoop()) {
    if (progress != 0) return copyOn();
    output(0).shapeLike(x);
    return sameBytes(x.rank);
  }
  return mask < 0 ? FAILED : reduceAxes(x, reduceOverKind(), mask, reduceOverKeepDims());
}
