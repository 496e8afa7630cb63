import { failInput, input, inputDies, output, outputAlloc, progress, setProgress, takeOver } from '../tensor/node';
import { copyRows } from './blocks';
import { conditionOf, isCondition } from './branch';
import { DONE, FAILED, YIELD } from './status';

/** Condition, X, Y: one of the two as it is; its buffer itself where that may move. */
export function select(): i32 {
  if (!isCondition()) return FAILED;
  const chosen: u32 = conditionOf() ? 1 : 2;
  const x = input(chosen);
  if (progress == 0) {
    if (changetype<usize>(x) == 0 || x.data == 0) {
      failInput(chosen, 'there: it was left out by a branch');
      return FAILED;
    }
    output(0).shapeLike(x);
    if (inputDies(chosen)) {
      takeOver(chosen, x.dtype, x.rank);
      return DONE;
    }
    if (!outputAlloc(0, x.dtype, x.rank)) return FAILED;
    setProgress(1);
  }
  const out = output(0);
  return copyRows(out.data, 0, x.data, 0, 1, out.byteLength) ? DONE : YIELD;
}
