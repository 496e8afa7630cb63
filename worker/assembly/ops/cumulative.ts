import { DType } from '../generated/constants';
import { failInput, hasInput, input, output, outputAlloc, progress, setProgress, slot } from '../tensor/node';
import { Tensor } from '../tensor/tensor';
import { indexAt, isIndexes, resolveAxis } from './axes';
import { unitsOfBlock, yieldsAt } from './blocks';
import { DONE, FAILED, YIELD } from './status';

/** About what an element takes. */
const COST: u64 = 40;

/** Sums, or with `multiplies` products, of all elements of X up to each along the axis that input 1 is. */
export function cumulate(multiplies: bool, exclusive: bool, reverse: bool): i32 {
  const x = input(0);
  if (progress == 0 && !begin(x)) return FAILED;
  if (output(0).byteLength == 0) return DONE;
  switch (x.dtype) {
    case DType.float32:
      return sums<f32>(x, multiplies, exclusive, reverse);
    case DType.float64:
      return sums<f64>(x, multiplies, exclusive, reverse);
    case DType.int64:
    case DType.uint64:
      return sums<i64>(x, multiplies, exclusive, reverse);
    case DType.int32:
    case DType.uint32:
      return sums<i32>(x, multiplies, exclusive, reverse);
    case DType.int16:
    case DType.uint16:
      return sums<i16>(x, multiplies, exclusive, reverse);
    default:
      return sums<i8>(x, multiplies, exclusive, reverse);
  }
}

function begin(x: Tensor): bool {
  const axis = input(1);
  if (!hasInput(1) || !isIndexes(axis) || axis.count() != 1 || resolveAxis(indexAt(axis, 0), x.rank) < 0) {
    failInput(1, 'int64 or int32, one axis of the tensor');
    return false;
  }
  const isNumber = x.dtype != DType.bool && x.dtype != DType.float16 && x.dtype != DType.bfloat16;
  if (!isNumber) {
    failInput(0, 'of numbers, not float16 or bfloat16');
    return false;
  }
  output(0).shapeLike(x);
  if (!outputAlloc(0, x.dtype, x.rank)) return false;
  setProgress(1);
  return true;
}

/** Each result is the one before and an element, so that it goes on from what is written. */
function sums<T>(x: Tensor, multiplies: bool, exclusive: bool, reverse: bool): i32 {
  const axis = resolveAxis(indexAt(input(1), 0), x.rank);
  const n = x.dim(axis);
  const inner = x.product(axis + 1, x.rank);
  const count = x.count();
  const some = unitsOfBlock(COST);
  const back = <usize>inner * sizeof<T>();
  for (let done = slot(0); done < count; ) {
    const end = done + min(some, count - done);
    for (let i = done; i < end; i++) {
      const place = reverse ? count - 1 - i : i;
      const along = (place / inner) % n;
      const at = <usize>place * sizeof<T>();
      const isFirst = reverse ? along == n - 1 : along == 0;
      const own = exclusive ? <T>(multiplies ? 1 : 0) : load<T>(x.data + at);
      let sum = own;
      if (!isFirst) {
        const before = reverse ? at + back : at - back;
        const added = exclusive ? load<T>(x.data + before) : own;
        const earlier = load<T>(output(0).data + before);
        sum = multiplies ? <T>(earlier * added) : <T>(earlier + added);
      }
      store<T>(output(0).data + at, sum);
    }
    const units = end - done;
    done = end;
    if (done < count && yieldsAt(0, done, COST * units)) return YIELD;
  }
  return DONE;
}
