import { DType, FloatClass } from '../generated/constants';
import { failInput, input, output, outputAlloc, progress, setProgress, slot } from '../tensor/node';
import { unitsOfBlock, yieldsAt } from './blocks';
import { floatClassKind } from './generated/attributes';
import { DONE, FAILED, YIELD } from './status';

/** About what an element takes. */
const COST: u64 = 30;

/** Whether each element is of a class. */
export function floatClass(): i32 {
  const x = input(0);
  if (progress == 0) {
    if (x.dtype != DType.float32 && x.dtype != DType.float64) {
      failInput(0, 'float32 or float64');
      return FAILED;
    }
    output(0).shapeLike(x);
    if (!outputAlloc(0, DType.bool, x.rank)) return FAILED;
    setProgress(1);
  }
  const kind = floatClassKind();
  const count = x.count();
  const some = unitsOfBlock(COST);
  for (let i = slot(0); i < count; ) {
    const n = min(some, count - i);
    if (x.dtype == DType.float32) classes<f32>(kind, x.data + (<usize>i << 2), output(0).data + i, n);
    else classes<f64>(kind, x.data + (<usize>i << 3), output(0).data + i, n);
    i += n;
    if (i < count && yieldsAt(0, i, COST * n)) return YIELD;
  }
  return DONE;
}

function classes<T>(kind: u32, from: usize, to: usize, count: u32): void {
  for (; count != 0; count--, from += sizeof<T>(), to++) {
    const x = load<T>(from);
    let is: bool;
    if (kind == FloatClass.nan) is = x != x;
    else if (kind == FloatClass.infinite) is = abs<T>(x) == <T>Infinity;
    else is = x == (kind == FloatClass.positiveInfinity ? <T>Infinity : <T>-Infinity);
    store<u8>(to, <u8>is);
  }
}
