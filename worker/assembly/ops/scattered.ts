import { DType, ScatterReduction } from '../generated/constants';
import {
  failInput, failInputs, input, inputDies, output, outputAlloc, progress, setProgress, takeOver,
} from '../tensor/node';
import { copyRows } from './blocks';
import { DONE, FAILED, YIELD } from './status';

/** Progress while X is copied, and once it is there. */
const COPYING: u32 = 1;
const SCATTERING: u32 = 2;

/** Checks types, and makes output 0 a copy of X or X itself. DONE, YIELD or FAILED. */
export function beginScatter(reduction: u32): i32 {
  const x = input(0);
  const updates = input(2);
  const out = output(0);
  if (progress == 0) {
    if (updates.dtype != x.dtype) {
      failInputs(0, 2, 'types must be equal');
      return FAILED;
    }
    const half = x.dtype == DType.float16 || x.dtype == DType.bfloat16;
    if (reduction > ScatterReduction.min || (half && reduction != ScatterReduction.none)) {
      failInput(0, 'of a type that can be reduced');
      return FAILED;
    }
    out.shapeLike(x);
    // What is also an update, or an index, stays as it is.
    const alone = changetype<usize>(x) != changetype<usize>(updates) && changetype<usize>(x) != changetype<usize>(input(1));
    if (inputDies(0) && alone) {
      takeOver(0, x.dtype, x.rank);
      setProgress(SCATTERING);
    } else {
      if (!outputAlloc(0, x.dtype, x.rank)) return FAILED;
      setProgress(COPYING);
    }
  }
  if (progress == COPYING) {
    if (!copyRows(out.data, 0, x.data, 0, 1, out.byteLength)) return YIELD;
    setProgress(SCATTERING);
  }
  return DONE;
}
