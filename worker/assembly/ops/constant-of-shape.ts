import { failInput, input, output, outputAlloc, progress, setProgress } from '../tensor/node';
import { dtypeBytes, MAX_RANK } from '../tensor/tensor';
import { indexAt, isIndexes } from './axes';
import { fillElements } from './blocks';
import { constantOfShapeDtype, constantOfShapeValue } from './generated/attributes';
import { DONE, FAILED, YIELD } from './status';

/** A tensor of the shape that its input names, filled with one value. */
export function constantOfShape(): i32 {
  if (progress == 0 && !beginConstant()) return FAILED;
  const out = output(0);
  return fillElements(out.data, out.byteLength, dtypeBytes(out.dtype), constantOfShapeValue()) ? DONE : YIELD;
}

function beginConstant(): bool {
  const shape = input(0);
  const rank = shape.count();
  if (!isIndexes(shape) || rank > MAX_RANK) {
    failInput(0, 'int64 with at most 8 sizes');
    return false;
  }
  for (let i: u32 = 0; i < rank; i++) {
    const size = indexAt(shape, i);
    if (size < 0 || size > i64(u32.MAX_VALUE)) {
      failInput(0, 'sizes of 0 to 2^32 - 1');
      return false;
    }
    output(0).setDim(i, <u32>size);
  }
  if (!outputAlloc(0, constantOfShapeDtype(), rank)) return false;
  setProgress(1);
  return true;
}
