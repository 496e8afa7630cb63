import { input, output, outputAlloc, progress, setProgress, setSlot, slot } from '../tensor/node';
import { dtypeBytes, Tensor } from '../tensor/tensor';
import { yieldsAt } from './blocks';
import { elementAxis, placeAt, rowStart } from './element-rows';
import { gatherElementsAxis } from './generated/attributes';
import { DONE, FAILED, YIELD } from './status';

const SLOT_ROW: u32 = 0;
const SLOT_COLUMN: u32 = 1;
/** Elements between two looks at the budget, and about what one takes, and what a row takes. */
const PART: u32 = 1 << 16;
const COST: u64 = 30;
const ROW: u64 = 120;

/** X, indices of X's rank: the element at each index along an axis. */
export function gatherElements(): i32 {
  const x = input(0);
  if (progress == 0) {
    if (elementAxis(gatherElementsAxis()) < 0) return FAILED;
    output(0).shapeLike(input(1));
    if (!outputAlloc(0, x.dtype, x.rank)) return FAILED;
    setProgress(1);
  }
  if (output(0).byteLength == 0) return DONE;
  const axis = elementAxis(gatherElementsAxis());
  switch (dtypeBytes(x.dtype)) {
    case 1:
      return walk<u8>(x, axis);
    case 2:
      return walk<u16>(x, axis);
    case 4:
      return walk<u32>(x, axis);
    default:
      return walk<u64>(x, axis);
  }
}

function walk<T>(x: Tensor, axis: i32): i32 {
  const indices = input(1);
  const out = output(0);
  const width = indices.dim(indices.rank - 1);
  const rows = indices.count() / width;
  const size = x.dim(axis);
  const alongRow = axis == <i32>x.rank - 1;
  const step = x.product(axis + 1, x.rank);
  let column = slot(SLOT_COLUMN);
  let unchecked: u64 = 0;
  for (let row = slot(SLOT_ROW); row < rows; row++) {
    const start = rowStart(x, indices, axis, row);
    const first = row * width;
    while (column < width) {
      const end = column + min(PART, width - column);
      for (let i = column; i < end; i++) {
        const place = placeAt(indices, first + i, size);
        if (place < 0) return FAILED;
        const at = start + <u32>place * step + (alongRow ? 0 : i);
        store<T>(out.data + <usize>(first + i) * sizeof<T>(), load<T>(x.data + <usize>at * sizeof<T>()));
      }
      unchecked += (end - column) * COST + ROW;
      column = end;
      if (unchecked > 1_000_000) {
        if (yieldsAt(SLOT_COLUMN, column, unchecked)) {
          setSlot(SLOT_ROW, row);
          return YIELD;
        }
        unchecked = 0;
      }
    }
    column = 0;
  }
  return DONE;
}
