import { linearBlockFloats, linearMaxBlockRows, linearMinBlockRows, singleRows } from '../generated/constants';
import { packedWidth } from '../kernels/panel';
import { gemm } from '../kernels/gemm';
import { gemv } from '../kernels/gemv';
import { copyLanes } from '../kernels/rows';
import { spent } from '../tensor/budget';
import { setSlot, slot, temporary } from '../tensor/node';
import { clamps, finish } from './epilogue';
import { DONE, FAILED, YIELD } from './status';

const SLOT_ROW: u32 = 0;
const SLOT_PANEL: u32 = 1;

/** Rows of a block for inputs of `depth` floats a row. */
export function blockRows(depth: u32): u32 {
  return min(linearMaxBlockRows, max(linearMinBlockRows, linearBlockFloats / max(depth, 1)));
}

/**
 * out [rows, n] = a [rows, depth] x packed w [depth, n] + bias, then the node's epilogue. Yields
 * between panels; uses slots 0 and 1 and temporary 0. `bias` is padded to whole panels.
 */
export function multiplyPanels(
  a: usize, rows: u32, depth: u32, w: usize, n: u32, bias: usize, out: usize,
): i32 {
  const outStep = <usize>n << 2;
  const aStep = <usize>depth << 2;
  const block = blockRows(depth);
  const ragged = (n & 3) != 0;
  let scratch: usize = 0;
  if (ragged) {
    scratch = temporary(0, min(block, rows) * 64);
    if (scratch == 0) return FAILED;
  }
  let row = slot(SLOT_ROW);
  let first = slot(SLOT_PANEL);
  for (; row < rows; row += block) {
    const count = min(block, rows - row);
    const from = a + <usize>row * aStep;
    const to = out + <usize>row * outStep;
    for (let start = first; start < n; ) {
      const width = packedWidth(n - start);
      const panel = w + ((<usize>start * depth) << 2);
      const lanes = min<u32>(16, n - start);
      const direct = (lanes & 3) == 0;
      const dst = direct ? to + (<usize>start << 2) : scratch;
      const dstStep = direct ? outStep : width;
      const biasAt = bias + (<usize>start << 2);
      if (count <= singleRows) {
        for (let i: u32 = 0; i < count; i++) {
          gemv(width, clamps, from + <usize>i * aStep, depth, panel, biasAt, dst + <usize>i * dstStep);
        }
      } else {
        gemm(width, true, clamps, from, aStep, 0, dst, dstStep, 0, count, 1, panel, biasAt, depth);
      }
      if (!direct) copyLanes(scratch, width, to + (<usize>start << 2), outStep, count, lanes);
      start += 16;
      if (start < n && spent(<u64>lanes * depth * (2 * count + 6))) {
        setSlot(SLOT_ROW, row);
        setSlot(SLOT_PANEL, start);
        return YIELD;
      }
    }
    first = 0;
    finish(to, count * n);
    if (row + block < rows && spent(<u64>count * (10 * n + 16 * depth))) {
      setSlot(SLOT_ROW, row + block);
      setSlot(SLOT_PANEL, 0);
      return YIELD;
    }
  }
  return DONE;
}
