import { DType } from '../generated/constants';
import { input, output, outputAlloc } from '../tensor/node';
import { shapeEnd, shapeStart } from './generated/attributes';
import { DONE, FAILED } from './status';

/** Sizes of X as i64, from `start` to before `end`. */
export function shape(): i32 {
  const x = input(0);
  const rank = <i32>x.rank;
  const start = min(max(shapeStart() < 0 ? shapeStart() + rank : shapeStart(), 0), rank);
  const end = min(max(shapeEnd() < 0 ? shapeEnd() + rank : shapeEnd(), start), rank);
  output(0).setDim(0, end - start);
  if (!outputAlloc(0, DType.int64, 1)) return FAILED;
  for (let i = start; i < end; i++) store<i64>(output(0).data + (<usize>(i - start) << 3), <i64>x.dim(i));
  return DONE;
}
