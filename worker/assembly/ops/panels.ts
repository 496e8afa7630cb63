import {
  depthPiece, linearBlockFloats, linearMaxBlockRows, linearMinBlockRows, linearMinDepth, singleRows,
} from '../generated/constants';
import { packedWidth } from '../kernels/panel';
import { gemm } from '../kernels/gemm';
import { gemv } from '../kernels/gemv';
import { copyLanes } from '../kernels/rows';
import { spent } from '../tensor/budget';
import { setSlot, slot, temporary } from '../tensor/node';
import { clamps, finished } from './epilogue';
import { DONE, FAILED, YIELD } from './status';
import { multiplyWholePanels, wholePanelsBytes } from './whole-panels';

const SLOT_ROW: u32 = 0;
const SLOT_PANEL: u32 = 1;
const SLOT_DEPTH: u32 = 2;
/** Whether the whole panels of a deep matrix are done. */
const SLOT_WHOLE: u32 = 3;

/** Rows of a block for inputs of `depth` floats a row. */
export function blockRows(depth: u32): u32 {
  return min(linearMaxBlockRows, max(linearMinBlockRows, linearBlockFloats / max(depth, 1)));
}

/**
 * out [rows, n] = a [rows, depth] x packed w [depth, n] + bias, then the node's epilogue. Yields
 * between panels and within deep ones; uses slots 0 to 3 and temporary 0. `bias` is padded to whole panels.
 * Whole panels of deep matrices go through kernels of their own, which add in the same order.
 */
export function multiplyPanels(
  a: usize, rows: u32, depth: u32, w: usize, n: u32, bias: usize, out: usize,
): i32 {
  const outStep = <usize>n << 2;
  const aStep = <usize>depth << 2;
  const block = blockRows(depth);
  const whole = depth >= linearMinDepth ? n & ~15 : 0;
  const bytes = max<usize>(
    (n & 3) != 0 ? min(block, rows) * 64 : 0, whole != 0 ? wholePanelsBytes(rows, whole) : 0,
  );
  let scratch: usize = 0;
  if (bytes != 0) {
    scratch = temporary(0, bytes);
    if (scratch == 0) return FAILED;
  }
  if (whole != 0 && slot(SLOT_WHOLE) == 0) {
    if (!multiplyWholePanels(clamps, a, rows, depth, w, whole, bias, out, outStep, scratch)) return YIELD;
    setSlot(SLOT_WHOLE, 1);
  }
  let row = slot(SLOT_ROW);
  let first = max(whole, slot(SLOT_PANEL));
  for (; row < rows; row += block) {
    const count = min(block, rows - row);
    const from = a + <usize>row * aStep;
    const to = out + <usize>row * outStep;
    for (let start = first; start < n; start += 16) {
      const width = packedWidth(n - start);
      const lanes = min<u32>(16, n - start);
      const direct = (lanes & 3) == 0;
      const dst = direct ? to + (<usize>start << 2) : scratch;
      const dstStep = direct ? outStep : width;
      for (let k = slot(SLOT_DEPTH); k < depth; k += depthPiece) {
        const some = min(depthPiece, depth - k);
        const clamp = clamps && k + some == depth;
        const at = from + (<usize>k << 2);
        const panel = w + ((<usize>start * depth) << 2) + <usize>k * width;
        const biasAt = bias + (<usize>start << 2);
        if (count <= singleRows) {
          for (let i: u32 = 0; i < count; i++) {
            const sums = dst + <usize>i * dstStep;
            gemv(width, clamp, at + <usize>i * aStep, some, panel, k == 0 ? biasAt : sums, sums);
          }
        } else gemm(width, k == 0, clamp, at, aStep, 0, dst, dstStep, 0, count, 1, panel, biasAt, some);
        if (k + some < depth && spent(<u64>lanes * some * (2 * count + 6))) {
          setSlot(SLOT_ROW, row);
          setSlot(SLOT_PANEL, start);
          setSlot(SLOT_DEPTH, k + some);
          return YIELD;
        }
      }
      setSlot(SLOT_DEPTH, 0);
      if (!direct) copyLanes(scratch, width, to + (<usize>start << 2), outStep, count, lanes);
      const isLast = start + 16 >= n && row + block >= rows;
      if (!isLast && spent(<u64>lanes * min(depth, depthPiece) * (2 * count + 6))) {
        setSlot(SLOT_ROW, row);
        setSlot(SLOT_PANEL, start + 16);
        return YIELD;
      }
    }
    first = whole;
    if (!finished(to, count * n)) {
      setSlot(SLOT_ROW, row);
      setSlot(SLOT_PANEL, n);
      return YIELD;
    }
  }
  return DONE;
}
