import { DType } from '../generated/constants';
import { softmaxColumns, softmaxRows } from '../kernels/softmax';
import { spent } from '../tensor/budget';
import {
  attr, failInput, input, inputDies, output, outputAlloc, progress, setProgress, setSlot, slot, takeOver,
} from '../tensor/node';
import { resolveAxis } from './axes';
import { DONE, FAILED, YIELD } from './status';

/** Words: axis (may be negative). */
export function softmax(): i32 {
  const x = input(0);
  const axis = resolveAxis(attr(0), x.rank);
  if (progress == 0) {
    if (x.dtype != DType.float32 || axis < 0) {
      failInput(0, 'float32 with the axis of the node');
      return FAILED;
    }
    output(0).shapeLike(x);
    if (inputDies(0)) takeOver(0, x.dtype, x.rank);
    else if (!outputAlloc(0, DType.float32, x.rank)) return FAILED;
    setProgress(1);
  }
  const out = output(0);
  if (out.byteLength == 0) return DONE;
  const from = x.data == 0 ? out.data : x.data;
  const outer = x.product(0, axis);
  const n = x.dim(axis);
  const inner = x.product(axis + 1, x.rank);
  const bytes = <usize>n * inner << 2;
  const some = inner == 1 ? max(1, 4096 / n) : 1;
  for (let i = slot(0); i < outer; ) {
    const count = min(some, outer - i);
    const offset = <usize>i * bytes;
    if (inner == 1) softmaxRows(from + offset, out.data + offset, count, n);
    else {
      for (let c: u32 = 0; c < inner; c += 4) {
        const at = offset + (<usize>c << 2);
        softmaxColumns(from + at, out.data + at, n, <usize>inner << 2, min(4, inner - c));
      }
    }
    i += count;
    if (spent(<u64>count * n * inner * 40) && i < outer) {
      setSlot(0, i);
      return YIELD;
    }
  }
  return DONE;
}
