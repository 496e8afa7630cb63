import { cumulate } from './cumulative';
import { cumSumExclusive, cumSumReverse } from './generated/attributes';

/** X, axis: sums of all elements up to each along the axis. */
export function cumSum(): i32 {
  return cumulate(false, cumSumExclusive(), cumSumReverse());
}
