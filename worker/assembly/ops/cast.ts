import { CanisterError } from '../generated/constants';
import { convert } from '../kernels/convert';
import { number, text } from '../tensor/errors';
import {
  failNode, input, inputDies, output, outputAlloc, progress, setProgress, slot, takeOver,
} from '../tensor/node';
import { dtypeBytes } from '../tensor/tensor';
import { copyRows, unitsOfBlock, yieldsAt } from './blocks';
import { castTo } from './generated/attributes';
import { DONE, FAILED, YIELD } from './status';

/** About what an element takes. */
const COST: u64 = 42;

/** To another element type: `kernels/convert`. */
export function cast(): i32 {
  const x = input(0);
  const type = castTo();
  const out = output(0);
  if (progress == 0) {
    out.shapeLike(x);
    if (type == x.dtype && inputDies(0)) {
      takeOver(0, type, x.rank);
      return DONE;
    }
    if (dtypeBytes(type) == 0) {
      failNode(CanisterError.unsupported);
      text('no element type has the number ');
      number(type);
      return FAILED;
    }
    if (!outputAlloc(0, type, x.rank)) return FAILED;
    setProgress(1);
  }
  if (type == x.dtype) return copyRows(out.data, 0, x.data, 0, 1, out.byteLength) ? DONE : YIELD;
  const from = dtypeBytes(x.dtype);
  const to = dtypeBytes(type);
  const count = x.count();
  const some = unitsOfBlock(COST);
  for (let i = slot(0); i < count; ) {
    const n = min(some, count - i);
    convert(x.dtype, x.data + <usize>i * from, out.data + <usize>i * to, n, type);
    i += n;
    if (i < count && yieldsAt(0, i, COST * n)) return YIELD;
  }
  return DONE;
}
