import { DType } from '../generated/constants';
import { layerNormRows } from '../kernels/layer-norm';
import { spent } from '../tensor/budget';
import {
  attr, attrF, failInput, hasInput, input, inputDies, output, outputAlloc, progress, setProgress, setSlot, slot,
  takeOver,
} from '../tensor/node';
import { resolveAxis } from './axes';
import { DONE, FAILED, YIELD } from './status';

/** X, scale, bias?. Words: axis, epsilon f32. */
export function layerNorm(): i32 {
  const x = input(0);
  const axis = resolveAxis(attr(0), x.rank);
  if (progress == 0 && !begin(axis)) return FAILED;
  const out = output(0);
  if (out.byteLength == 0) return DONE;
  const from = x.data == 0 ? out.data : x.data;
  const rows = x.product(0, axis);
  const n = x.product(axis, x.rank);
  const rowBytes = <usize>n << 2;
  const some = max(1, 65536 / n);
  const bias = hasInput(2) ? input(2).data : 0;
  for (let i = slot(0); i < rows; ) {
    const count = min(some, rows - i);
    const offset = <usize>i * rowBytes;
    layerNormRows(from + offset, out.data + offset, count, n, input(1).data, bias, attrF(1));
    i += count;
    if (i < rows && spent(<u64>count * n * 12)) {
      setSlot(0, i);
      return YIELD;
    }
  }
  return DONE;
}

function begin(axis: i32): bool {
  const x = input(0);
  if (x.dtype != DType.float32 || axis < 0) {
    failInput(0, 'float32 with the axis of the node');
    return false;
  }
  const n = x.product(axis, x.rank);
  for (let i: u32 = 1; i < 3; i++) {
    if (i == 2 && !hasInput(2)) continue;
    if (input(i).dtype != DType.float32 || input(i).count() != n) {
      failInput(i, 'float32 with one value for each of the normalised ones');
      return false;
    }
  }
  output(0).shapeLike(x);
  if (inputDies(0)) takeOver(0, x.dtype, x.rank);
  else if (!outputAlloc(0, DType.float32, x.rank)) return false;
  setProgress(1);
  return true;
}
