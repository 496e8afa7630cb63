import { DType } from '../generated/constants';
import { failInput, hasInput, input, output, outputAlloc, progress, setProgress, setSlot, slot } from '../tensor/node';
import { Tensor } from '../tensor/tensor';
import { indexAt, isIndexes } from './axes';
import { fillElements, yieldsAt } from './blocks';
import {
  countSpatial, dilationOf, firstBeyond, firstInside, fittingPositions, imageCount, imageLine, kernelCount, kernelOf,
  lineCount, padOf, positionCount, positionsOf, readSpatial, setKernel, setPositions, setSize, spatialRank, strideOf,
} from './spatial';
import { DONE, FAILED, YIELD } from './status';

const SLOT_LINE: u32 = 0;
const SLOT_COLUMN: u32 = 1;
/** Progress once the images are there, and once they are zeros. */
const FILLING: u32 = 1;
const ADDING: u32 = 2;
/** Elements added between two looks at the budget, and about what one takes, and what a line takes. */
const PART: u32 = 1 << 18;
const COST: u64 = 10;
const LINE: u64 = 250;

/** Columns [n, c * kernel, positions] added up where they lie in images [n, c, sizes..]. */
export function col2Im(): i32 {
  const columns = input(0);
  if (columns.dtype != DType.float32 || columns.rank != 3) {
    failInput(0, 'float32 [batch, channels * kernel, positions]');
    return FAILED;
  }
  if (!readWindow(columns)) return FAILED;
  const out = output(0);
  if (progress == 0) {
    out.setDim(0, columns.dim(0));
    out.setDim(1, columns.dim(1) / kernelCount);
    for (let i: u32 = 0; i < spatialRank; i++) out.setDim(i + 2, <u32>indexAt(input(1), i));
    if (!outputAlloc(0, DType.float32, spatialRank + 2)) return FAILED;
    setProgress(FILLING);
  }
  if (progress == FILLING) {
    if (!fillElements(out.data, out.byteLength, 4, 0)) return YIELD;
    setProgress(ADDING);
  }
  if (out.byteLength == 0 || columns.byteLength == 0) return DONE;
  const last = spatialRank - 1;
  const width = <u32>positionsOf(last);
  const lines = (columns.byteLength >>> 2) / width;
  let unchecked: u64 = 0;
  let column = slot(SLOT_COLUMN);
  for (let l = slot(SLOT_LINE); l < lines; l++) {
    const line = l % lineCount;
    const tap = (l / lineCount) % kernelCount;
    const image = out.data + (<usize>(l / lineCount / kernelCount) * imageCount << 2);
    const to = imageLine(tap, line);
    const k = <i32>(tap % kernelOf(last));
    const from = columns.data + (<usize>l * width << 2);
    if (to < 0) column = width;
    while (column < width) {
      const end = column + min(PART, width - column);
      const first = max(column, firstInside(k));
      const until = min(end, firstBeyond(k));
      if (first < until) {
        const index = to + <i32>first * strideOf(last) + k * dilationOf(last) - padOf(last);
        addStrided(image + (<usize>index << 2), <usize>strideOf(last) << 2, from + (<usize>first << 2), until - first);
      }
      unchecked += (end - column) * COST;
      column = end;
      if (column < width && yieldsAt(SLOT_COLUMN, column, unchecked)) {
        setSlot(SLOT_LINE, l);
        return YIELD;
      }
    }
    column = 0;
    unchecked += LINE;
    if (unchecked > 1_000_000 && l + 1 < lines) {
      if (yieldsAt(SLOT_LINE, l + 1, unchecked)) {
        setSlot(SLOT_COLUMN, 0);
        return YIELD;
      }
      unchecked = 0;
    }
  }
  return DONE;
}

/** Reads window, sizes of the image and positions. */
function readWindow(columns: Tensor): bool {
  const sizes = input(1);
  if (!hasInput(1) || !isIndexes(sizes) || sizes.rank != 1) {
    failInput(1, 'int64, a size for each dimension of the images');
    return false;
  }
  const rank = sizes.count();
  if (!readSpatial(0, rank)) return false;
  if (hasInput(3)) {
    const kernel = input(3);
    let fits = isIndexes(kernel) && kernel.count() == rank;
    for (let i: u32 = 0; fits && i < rank; i++) fits = setKernel(i, indexAt(kernel, i));
    if (!fits) {
      failInput(3, 'int64, the size of the blocks along each dimension of the images');
      return false;
    }
  }
  const given = hasInput(2);
  if (given && (!isIndexes(input(2)) || input(2).count() != rank)) {
    failInput(2, 'int64, the positions along each dimension of the images');
    return false;
  }
  for (let i: u32 = 0; i < rank; i++) {
    const size = indexAt(sizes, i);
    const count = given ? indexAt(input(2), i) : 0;
    if (size < 0 || size > i64(i32.MAX_VALUE) || count < 0 || count > i64(i32.MAX_VALUE)) {
      failInput(given ? 2 : 1, 'of sizes that are at least 0, and small enough');
      return false;
    }
    setSize(i, <u32>size);
    setPositions(i, given ? <u32>count : fittingPositions(i));
  }
  if (!countSpatial() || columns.dim(1) % kernelCount != 0 || columns.dim(2) != positionCount) {
    failInput(0, 'a column for each position, and a row for each channel and tap');
    return false;
  }
  return true;
}

/** Adds `count` floats to those `step` bytes apart. */
function addStrided(to: usize, step: usize, from: usize, count: u32): void {
  if (step == 4) {
    for (; count >= 4; count -= 4, to += 16, from += 16) {
      v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
    }
  }
  for (; count != 0; count--, to += step, from += 4) store<f32>(to, load<f32>(to) + load<f32>(from));
}
