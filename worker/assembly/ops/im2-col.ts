import { DType } from '../generated/constants';
import { copyStrided, fillZeros } from '../kernels/copy';
import { failInput, input, output, outputAlloc, progress, setProgress, setSlot, slot } from '../tensor/node';
import { Tensor } from '../tensor/tensor';
import { yieldsAt } from './blocks';
import { im2ColGroup, im2ColOutChannels } from './generated/attributes';
import {
  countSpatial, dilationOf, firstBeyond, firstInside, fittingPositions, imageCount, imageLine, kernelCount, kernelOf,
  lineCount, padOf, positionsOf, readSpatial, setPositions, setSize, spatialRank, strideOf,
} from './spatial';
import { DONE, FAILED, YIELD } from './status';

const SLOT_LINE: u32 = 0;
const SLOT_COLUMN: u32 = 1;
/** Word at which the window begins. */
const WINDOW: u32 = 2;
/** Elements copied between two looks at the budget, and about what one takes, and what a line takes. */
const PART: u32 = 1 << 18;
const COST: u64 = 10;
const LINE: u64 = 250;

/** X [n,c,sizes..] to the columns [n, group, c/group * kernel, positions], and a convolution's shape. */
export function im2Col(): i32 {
  const x = input(0);
  if (x.dtype != DType.float32 || x.rank < 3) {
    failInput(0, 'float32 [batch, channels, ...]');
    return FAILED;
  }
  if (!readSpatial(WINDOW, x.rank - 2)) return FAILED;
  for (let i: u32 = 0; i < spatialRank; i++) {
    setSize(i, x.dim(i + 2));
    setPositions(i, fittingPositions(i));
  }
  if (!countSpatial() || lineCount == 0) {
    failInput(0, 'at least as large as the kernel, and small enough');
    return FAILED;
  }
  if (progress == 0 && !begin(x)) return FAILED;
  const out = output(0);
  if (out.byteLength == 0) return DONE;
  const last = spatialRank - 1;
  const width = <u32>positionsOf(last);
  const lines = (out.byteLength >>> 2) / width;
  let unchecked: u64 = 0;
  let column = slot(SLOT_COLUMN);
  for (let l = slot(SLOT_LINE); l < lines; l++) {
    const line = l % lineCount;
    const tap = (l / lineCount) % kernelCount;
    const image = x.data + (<usize>(l / lineCount / kernelCount) * imageCount << 2);
    const from = imageLine(tap, line);
    const k = <i32>(tap % kernelOf(last));
    const inside = from < 0 ? <i32>width : firstInside(k);
    const beyond = from < 0 ? 0 : firstBeyond(k);
    const to = out.data + (<usize>l * width << 2);
    while (column < width) {
      const end = column + min(PART, width - column);
      const first = <i32>min(max(column, inside), end);
      const until = <i32>max(<u32>first, min(end, <u32>beyond));
      fillZeros(to + (<usize>column << 2), to + (<usize>first << 2));
      if (first < until) {
        const index = from + first * strideOf(last) + k * dilationOf(last) - padOf(last);
        copyStrided(to + (<usize>first << 2), image + (<usize>index << 2), <usize>strideOf(last) << 2, until - first, 4);
      }
      fillZeros(to + (<usize>until << 2), to + (<usize>end << 2));
      unchecked += (end - column) * COST + LINE;
      column = end;
      if (unchecked > 1_000_000 && (column < width || l + 1 < lines)) {
        if (yieldsAt(SLOT_COLUMN, column, unchecked)) {
          setSlot(SLOT_LINE, l);
          return YIELD;
        }
        unchecked = 0;
      }
    }
    column = 0;
  }
  return DONE;
}

function begin(x: Tensor): bool {
  const group = im2ColGroup();
  const channels = x.dim(1);
  if (group == 0 || channels == 0 || channels % group != 0) {
    failInput(0, 'of channels that are a multiple of the groups');
    return false;
  }
  const rows = <u64>(channels / group) * kernelCount;
  const out = output(0);
  out.setDim(0, x.dim(0));
  out.setDim(1, group);
  // Too many for memory where they are too many for a dimension.
  out.setDim(2, <u32>min<u64>(rows, u32.MAX_VALUE));
  out.setDim(3, lineCount * positionsOf(spatialRank - 1));
  if (!outputAlloc(0, DType.float32, 4)) return false;
  const shape = output(1);
  shape.setDim(0, x.rank);
  if (!outputAlloc(1, DType.int64, 1)) return false;
  store<i64>(shape.data, x.dim(0));
  store<i64>(shape.data, im2ColOutChannels(), 8);
  for (let i: u32 = 0; i < spatialRank; i++) store<i64>(shape.data + (<usize>(i + 2) << 3), positionsOf(i));
  setProgress(1);
  return true;
}
