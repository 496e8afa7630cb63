import { ScatterReduction } from '../generated/constants';
import { mergeElements } from '../kernels/scatter';
import { failInputs, input, output, progress, setSlot, slot } from '../tensor/node';
import { dtypeBytes } from '../tensor/tensor';
import { yieldsAt } from './blocks';
import { elementAxis, placeAt, rowStart } from './element-rows';
import { scatterElementsAxis, scatterElementsReduction } from './generated/attributes';
import { beginScatter } from './scattered';
import { DONE, FAILED, YIELD } from './status';

const SLOT_ROW: u32 = 2;
const SLOT_COLUMN: u32 = 3;
/** Elements between two looks at the budget, and about what one takes, and what a row takes. */
const PART: u32 = 1 << 15;
const COST: u64 = 60;
const ROW: u64 = 120;

/** X, indices, updates: X with an update at each index along an axis. */
export function scatterElements(): i32 {
  const indices = input(1);
  const updates = input(2);
  const reduction = scatterElementsReduction();
  const axis = elementAxis(scatterElementsAxis());
  if (axis < 0) return FAILED;
  if (progress == 0 && !updates.sameShape(indices)) {
    failInputs(1, 2, 'shapes must be equal');
    return FAILED;
  }
  const status = beginScatter(reduction);
  if (status != DONE) return status;
  if (updates.byteLength == 0) return DONE;
  // X may hold nothing any more, but its shape.
  const x = input(0);
  const data = output(0).data;
  const type = x.dtype;
  const bytes = dtypeBytes(type);
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
        const to = data + <usize>at * bytes;
        const from = updates.data + <usize>(first + i) * bytes;
        if (reduction != ScatterReduction.none) mergeElements(type, reduction, to, from, 1);
        else if (bytes == 4) store<u32>(to, load<u32>(from));
        else if (bytes == 8) store<u64>(to, load<u64>(from));
        else if (bytes == 2) store<u16>(to, load<u16>(from));
        else store<u8>(to, load<u8>(from));
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
