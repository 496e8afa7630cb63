import { failInput, hasInput, input, output, outputAlloc, progress, setProgress } from '../tensor/node';
import { dtypeBytes, MAX_RANK, Tensor } from '../tensor/tensor';
import { indexAt, isIndexes, resolveAxis } from './axes';
import { DONE, FAILED } from './status';
import { addStrided, beginStrided, runStrided } from './strided';

/** Start and step of every dimension. */
const starts: usize = memory.data(64);
const strides: usize = memory.data(64);

/** X, starts, ends, axes?, steps?: i64 or i32 tensors. */
export function slice(): i32 {
  const x = input(0);
  const out = output(0);
  // Read once: starts and strides stay as they are while the node yields.
  if (progress == 0) {
    if (!readRanges(x) || !outputAlloc(0, x.dtype, x.rank)) return FAILED;
    setProgress(1);
  }
  if (out.byteLength == 0) return DONE;
  const bytes = dtypeBytes(x.dtype);
  let src = x.data;
  beginStrided();
  for (let i: u32 = 0; i < x.rank; i++) {
    const inner = <i64>x.product(i + 1, x.rank) * bytes;
    src += <usize>(load<i64>(starts + (<usize>i << 3)) * inner);
    addStrided(out.dim(i), <usize>(load<i64>(strides + (<usize>i << 3)) * inner));
  }
  return runStrided(out.data, src, bytes);
}

/** Sets starts, steps and the output's dimensions. */
function readRanges(x: Tensor): bool {
  const out = output(0);
  for (let i: u32 = 0; i < x.rank; i++) {
    store<i64>(starts + (<usize>i << 3), 0);
    store<i64>(strides + (<usize>i << 3), 1);
    out.setDim(i, x.dim(i));
  }
  for (let i: u32 = 1; i < 5; i++) {
    if (i > 2 && !hasInput(i)) continue;
    if (!hasInput(i) || !isIndexes(input(i)) || input(i).count() != input(1).count() || input(1).count() > MAX_RANK) {
      failInput(i, 'int64 or int32, one value for each axis');
      return false;
    }
  }
  let seen = 0;
  for (let k: u32 = 0; k < input(1).count(); k++) {
    const axis = hasInput(3) ? resolveAxis(indexAt(input(3), k), x.rank) : k < x.rank ? <i32>k : -1;
    // The smallest number has no negative.
    const step = hasInput(4) ? max<i64>(indexAt(input(4), k), -i64.MAX_VALUE) : 1;
    if (axis < 0) {
      failInput(0, 'of a shape that has the axes of the slice');
      return false;
    }
    if ((seen & (1 << axis)) != 0) {
      failInput(3, 'axes of the tensor, each once');
      return false;
    }
    seen |= 1 << axis;
    if (step == 0) {
      failInput(4, 'without zeros');
      return false;
    }
    const size = <i64>x.dim(axis);
    // Bounds beyond the tensor end at it; going down, the end may lie before the first element.
    const least: i64 = step > 0 ? 0 : -1;
    const most: i64 = step > 0 ? size : size - 1;
    const start = bounded(indexAt(input(1), k), size, 0, most, step < 0);
    let to = indexAt(input(2), k);
    // As in onnxruntime the largest numbers mean: as far as it goes in the step's direction.
    if (step < 0 && (to == i64(i32.MAX_VALUE) || to == i64.MAX_VALUE)) to = i64.MIN_VALUE;
    const end = bounded(to, size, least, most, step < 0);
    const span = step > 0 ? end - start : start - end;
    const stride = step > 0 ? step : -step;
    store<i64>(starts + (<usize>axis << 3), start);
    store<i64>(strides + (<usize>axis << 3), stride > size ? (step > 0 ? size : -size) : step);
    out.setDim(axis, span <= 0 ? 0 : <u32>((span - 1) / stride) + 1);
  }
  return true;
}

function bounded(index: i64, size: i64, least: i64, most: i64, down: bool): i64 {
  if (index < 0) {
    // Far below zero: before the first element, whichever the direction.
    if (index < -size) return min<i64>(down ? least : 0, most);
    index += size;
  }
  return min(max(index, least), most);
}
