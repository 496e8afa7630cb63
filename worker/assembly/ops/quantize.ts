import { DType } from '../generated/constants';
import { failInput, input, output, outputAlloc, progress, setProgress } from '../tensor/node';
import { quantizeAxis, quantizeBlock, quantizeTo } from './generated/attributes';
import { overRuns, readScales, widenZeros } from './scales';
import { FAILED } from './status';

/** X, scale, zero point?: X / scale rounded half to even, plus the zero point, saturated. */
export function quantize(): i32 {
  const x = input(0);
  const type = quantizeTo();
  if (x.dtype != DType.float32) {
    failInput(0, 'float32');
    return FAILED;
  }
  if (!readScales(quantizeAxis(), quantizeBlock(), type)) return FAILED;
  if (progress == 0) {
    output(0).shapeLike(x);
    if (!widenZeros() || !outputAlloc(0, type, x.rank)) return FAILED;
    setProgress(1);
  }
  return overRuns(type, true);
}
