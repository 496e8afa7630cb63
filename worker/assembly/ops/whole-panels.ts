import { linearChannels, linearPiece } from '../generated/constants';
import { beginRows, floatRows, floatRowsOf, storeRow } from '../kernels/generated/float-rows';
import { spent } from '../tensor/budget';
import { setSlot, slot } from '../tensor/node';

const SLOT_ROW: u32 = 0;
const SLOT_CHANNEL: u32 = 1;
const SLOT_DEPTH: u32 = 2;

/** Bytes of the sums of {@link multiplyWholePanels}. */
export function wholePanelsBytes(rows: u32, channels: u32): usize {
  return (<usize>floatRowsOf(rows) * min(channels, linearChannels)) << 2;
}

/**
 * The first `channels` (a multiple of 16) of out [rows, n] = a [rows, depth] x packed w + bias, clamped
 * where `clamp`. `sums` has {@link wholePanelsBytes}. False where it yields; slots 0 to 2 are 0 before and
 * after. rows, depth, channels >= 1.
 */
export function multiplyWholePanels(
  clamp: bool, a: usize, rows: u32, depth: u32, w: usize, channels: u32, bias: usize,
  out: usize, outStep: usize, sums: usize,
): bool {
  const aStep = <usize>depth << 2;
  const panelBytes = <usize>depth << 6;
  for (let row = slot(SLOT_ROW); row < rows; ) {
    const count = floatRowsOf(rows - row);
    const from = a + <usize>row * aStep;
    for (let first = slot(SLOT_CHANNEL); first < channels; ) {
      const some = min(linearChannels, channels - first);
      const end = sums + ((<usize>some * count) << 2);
      let k = slot(SLOT_DEPTH);
      if (k == 0) beginRows(count, bias + (<usize>first << 2), sums, end);
      while (k < depth) {
        const piece = min(linearPiece, depth - k);
        const panel = w + <usize>(first >>> 4) * panelBytes + (<usize>k << 6);
        floatRows(count, piece, from + (<usize>k << 2), aStep, panel, panelBytes, sums, end);
        k += piece;
        if (k < depth && spent(<u64>count * some * piece * 2)) {
          setSlot(SLOT_DEPTH, k);
          setSlot(SLOT_CHANNEL, first);
          setSlot(SLOT_ROW, row);
          return false;
        }
      }
      setSlot(SLOT_DEPTH, 0);
      const to = out + <usize>row * outStep + (<usize>first << 2);
      for (let r: u32 = 0; r < count; r++) {
        storeRow(count, clamp, sums + (<usize>r << 4), to + <usize>r * outStep, some >>> 4);
      }
      first += some;
      if (first < channels && spent(<u64>count * some * linearPiece * 2)) {
        setSlot(SLOT_CHANNEL, first);
        setSlot(SLOT_ROW, row);
        return false;
      }
    }
    setSlot(SLOT_CHANNEL, 0);
    row += count;
    if (row < rows && spent(<u64>count * min(channels, linearChannels) * linearPiece * 2)) {
      setSlot(SLOT_ROW, row);
      return false;
    }
  }
  setSlot(SLOT_ROW, 0);
  return true;
}
