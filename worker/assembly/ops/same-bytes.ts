import { DType } from '../generated/constants';
import { number, text } from '../tensor/errors';
import {
  attr, failInput, hasInput, input, inputDies, output, outputAlloc, progress, setProgress, takeOver,
} from '../tensor/node';
import { MAX_RANK } from '../tensor/tensor';
import { indexAt, isIndexes, resolveAxis } from './axes';
import { copyRows } from './blocks';
import { DONE, FAILED, YIELD } from './status';

/** Output 0 has its dimensions: gives it input 0's bytes, the buffer itself where that may move. */
function sameBytes(rank: u32): i32 {
  const x = input(0);
  if (inputDies(0)) {
    takeOver(0, x.dtype, rank);
    return DONE;
  }
  if (!outputAlloc(0, x.dtype, rank)) return FAILED;
  setProgress(1);
  return copyOn();
}

/** Copies, or goes on with it: all that is left once the output is there. */
function copyOn(): i32 {
  const out = output(0);
  return copyRows(out.data, 0, input(0).data, 0, 1, out.byteLength) ? DONE : YIELD;
}

/** X: the same tensor under another name. */
export function identity(): i32 {
  if (progress != 0) return copyOn();
  output(0).shapeLike(input(0));
  return sameBytes(input(0).rank);
}

/** X, shape i64. Words: allowZero. */
export function reshape(): i32 {
  if (progress != 0) return copyOn();
  const x = input(0);
  const out = output(0);
  const target = input(1);
  if (!hasInput(1) || !isIndexes(target) || target.count() > MAX_RANK) {
    failInput(1, 'int64 with at most 8 sizes');
    return FAILED;
  }
  const rank = target.count();
  const count: u64 = x.count();
  let known: u64 = 1;
  let inferred = -1;
  for (let i: u32 = 0; i < rank; i++) {
    let size = indexAt(target, i);
    if (size == 0 && attr(0) == 0 && i < x.rank) size = x.dim(i);
    if (size == -1 && inferred < 0) inferred = i;
    else if (size < 0 || size > i64(u32.MAX_VALUE)) return failShape(rank);
    else {
      out.setDim(i, <u32>size);
      // Saturated, so that a size of 0 after it makes 0 of it.
      known = min<u64>(known * <u64>size, u64(1) << 32);
    }
  }
  if (inferred >= 0) {
    if (known == 0 || count % known != 0) return failShape(rank);
    out.setDim(inferred, <u32>(count / known));
  } else if (known != count) return failShape(rank);
  return sameBytes(rank);
}

function failShape(rank: u32): i32 {
  failInput(0, 'of a size that the shape [');
  for (let i: u32 = 0; i < rank; i++) {
    if (i > 0) text(',');
    number(indexAt(input(1), i));
  }
  text('] holds');
  return FAILED;
}

/** Bit mask of the axes in input 1, resolved against `rank`; -1 after a failure's text. */
function axesMask(rank: u32, mayRepeat: bool): i32 {
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

/** X, axes i64? (absent or none: all of size 1). */
export function squeeze(): i32 {
  if (progress != 0) return copyOn();
  const x = input(0);
  let mask = 0;
  if (hasInput(1) && input(1).count() != 0) {
    mask = axesMask(x.rank, true);
    if (mask < 0) return FAILED;
  } else {
    for (let i: u32 = 0; i < x.rank; i++) if (x.dim(i) == 1) mask |= 1 << i;
  }
  let rank: u32 = 0;
  for (let i: u32 = 0; i < x.rank; i++) {
    if ((mask & (1 << i)) == 0) output(0).setDim(rank++, x.dim(i));
    else if (x.dim(i) != 1) {
      failInput(0, 'of size 1 along the axes to remove');
      return FAILED;
    }
  }
  return sameBytes(rank);
}

/** X, axes i64. */
export function unsqueeze(): i32 {
  if (progress != 0) return copyOn();
  const x = input(0);
  const rank = x.rank + (hasInput(1) ? input(1).count() : 0);
  if (!hasInput(1) || rank > MAX_RANK) {
    failInput(0, 'of at most 8 dimensions in the end');
    return FAILED;
  }
  const mask = axesMask(rank, false);
  if (mask < 0) return FAILED;
  let from: u32 = 0;
  for (let i: u32 = 0; i < rank; i++) {
    output(0).setDim(i, (mask & (1 << i)) != 0 ? 1 : x.dim(from++));
  }
  return sameBytes(rank);
}

/** Words: axis. */
export function flatten(): i32 {
  if (progress != 0) return copyOn();
  const x = input(0);
  const axis = attr(0) < 0 ? attr(0) + <i32>x.rank : attr(0);
  if (axis < 0 || axis > <i32>x.rank) {
    failInput(0, 'of at least as many dimensions as the axis');
    return FAILED;
  }
  // An empty tensor may have other sizes whose product is too large for one.
  for (let side = 0; side < 2; side++) {
    let size: u64 = 1;
    for (let i = side == 0 ? 0 : axis; i < (side == 0 ? axis : <i32>x.rank); i++) {
      size = x.dim(i) == 0 || size == 0 ? 0 : min<u64>(size * x.dim(i), u64(1) << 32);
    }
    if (size > u64(u32.MAX_VALUE)) {
      failInput(0, 'of sizes whose products are below 2^32');
      return FAILED;
    }
    output(0).setDim(side, <u32>size);
  }
  return sameBytes(2);
}

/** X to i64 [rank]. Words: start, end (i32 maximum: to the last). */
export function shapeOf(): i32 {
  const x = input(0);
  const rank = <i32>x.rank;
  const start = min(max(attr(0) < 0 ? attr(0) + rank : attr(0), 0), rank);
  const end = min(max(attr(1) < 0 ? attr(1) + rank : attr(1), start), rank);
  output(0).setDim(0, end - start);
  if (!outputAlloc(0, DType.int64, 1)) return FAILED;
  for (let i = start; i < end; i++) store<i64>(output(0).data + (<usize>(i - start) << 3), <i64>x.dim(i));
  return DONE;
}
