import { DType } from '../generated/constants';
import { input, output, outputAlloc, progress, setProgress } from '../tensor/node';
import { dequantizeAxis, dequantizeBlock } from './generated/attributes';
import { overRuns, readScales, widenZeros } from './scales';
import { FAILED } from './status';

/** X, scale, zero point?: (X - zero point) * scale. */
export function dequantize(): i32 {
  const x = input(0);
  if (!readScales(dequantizeAxis(), dequantizeBlock(), x.dtype)) return FAILED;
  if (progress == 0) {
    output(0).shapeLike(x);
    if (!widenZeros() || !outputAlloc(0, DType.float32, x.rank)) return FAILED;
    setProgress(1);
  }
  return overRuns(x.dtype, false);
}
