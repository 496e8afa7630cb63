import { CanisterError, DType } from '../generated/constants';
import { name, number, text } from '../tensor/errors';
import { failInput, failNode, input } from '../tensor/node';
import { Tensor } from '../tensor/tensor';

/** Axis counted from the front; -1 where there is no such axis. */
export function resolveAxis(axis: i64, rank: u32): i32 {
  const resolved = axis < 0 ? axis + rank : axis;
  return resolved >= 0 && resolved < <i64>rank ? <i32>resolved : -1;
}

/** Whether a tensor holds indexes: int64 or int32, of rank 1 or a scalar. */
export function isIndexes(tensor: Tensor): bool {
  return (tensor.dtype == DType.int64 || tensor.dtype == DType.int32) && tensor.rank <= 1;
}

/** Element `i` of an int64 or int32 tensor. */
export function indexAt(tensor: Tensor, i: u32): i64 {
  return tensor.dtype == DType.int64
    ? load<i64>(tensor.data + (<usize>i << 3))
    : <i64>load<i32>(tensor.data + (<usize>i << 2));
}

/** The text of an index in input 1 that a dimension of `size` does not have. */
export function failIndex(index: i64, size: i64): void {
  failNode(CanisterError.badInput);
  text('index ');
  number(index);
  text(' of ');
  name(input(1).name);
  text(' must be below ');
  number(size);
}

/** Bit mask of the axes in input 1, resolved against `rank`; -1 after a failure's text. */
export function axesInput(rank: u32, mayRepeat: bool): i32 {
  const axes = input(1);
  if (!isIndexes(axes)) {
    failInput(1, 'int64 axes');
    return -1;
  }
  let mask = 0;
  for (let i: u32 = 0; i < axes.count(); i++) {
    const axis = resolveAxis(indexAt(axes, i), rank);
    if (axis < 0 || (!mayRepeat && (mask & (1 << axis)) != 0)) {
      failInput(1, mayRepeat ? 'axes of the tensor' : 'axes of the tensor, each once');
      return -1;
    }
    mask |= 1 << axis;
  }
  return mask;
}
