import { CanisterError, DType } from '../generated/constants';
import { text } from '../tensor/errors';
import { failInput, failNode, input, nodeInputs, output, outputAlloc, progress, setProgress, slot } from '../tensor/node';
import { unitsOfBlock, yieldsAt } from './blocks';
import { DONE, FAILED, YIELD } from './status';

/** Largest number of steps of a Range. */
const MAX_STEPS: u64 = 4294967295;
/** About what an element of a Range takes. */
const COST: u64 = 30;

/** start, limit, delta scalars. */
export function range(): i32 {
  const type = input(0).dtype;
  for (let i: u32 = 0; i < 3; i++) {
    if (nodeInputs != 3 || input(i).dtype != type || input(i).count() != 1) {
      failInput(i, 'a scalar of the same type as the other two');
      return FAILED;
    }
  }
  if (type == DType.float32) return rangeOf<f32>(type);
  if (type == DType.int64) return rangeOf<i64>(type);
  if (type == DType.int32) return rangeOf<i32>(type);
  failInput(0, 'float32, int64 or int32');
  return FAILED;
}

function rangeOf<T>(type: u32): i32 {
  const start = load<T>(input(0).data);
  const delta = load<T>(input(2).data);
  if (progress == 0) {
    const count = stepsOf<T>(start, load<T>(input(1).data), delta);
    if (count > MAX_STEPS) {
      failNode(CanisterError.badInput);
      text('the range never ends: delta must not be 0, start and limit be finite and at most 2^32 - 1 steps apart');
      return FAILED;
    }
    output(0).setDim(0, <u32>count);
    if (!outputAlloc(0, type, 1)) return FAILED;
    setProgress(1);
  }
  const count = output(0).dim(0);
  const some = unitsOfBlock(COST);
  for (let i = slot(0); i < count; ) {
    const first = i;
    const end = i + min(some, count - i);
    for (; i < end; i++) store<T>(output(0).data + <usize>i * sizeof<T>(), <T>(start + <T>i * delta));
    if (i < count && yieldsAt(0, i, COST * (end - first))) return YIELD;
  }
  return DONE;
}

/** How many numbers there are from `start` to below `limit`; more than MAX_STEPS where there is no end. */
function stepsOf<T>(start: T, limit: T, delta: T): u64 {
  if (delta == <T>0) return u64.MAX_VALUE;
  if (isFloat<T>()) {
    const steps = Math.ceil((<f64>limit - <f64>start) / <f64>delta);
    if (!(steps <= <f64>MAX_STEPS) || steps == -Infinity) return u64.MAX_VALUE;
    return steps > 0 ? <u64>steps : 0;
  }
  if (delta > <T>0 ? limit <= start : limit >= start) return 0;
  // Differences of integers of 64 bits need one bit more: as unsigned ones they fit.
  const span = delta > <T>0 ? <u64>limit - <u64>start : <u64>start - <u64>limit;
  const step = delta > <T>0 ? <u64>delta : <u64>0 - <u64>delta;
  return (span - 1) / step + 1;
}
