import { CanisterError, DType } from '../generated/constants';
import { text } from '../tensor/errors';
import {
  failInput, failNode, hasInput, input, output, outputAlloc, progress, setProgress,
} from '../tensor/node';
import { copyRows } from './blocks';
import { finished, readEpilogue } from './epilogue';
import { linearEpilogueAt, linearK, linearN } from './generated/attributes';
import { checkInteger, isInteger, multiplyInteger } from './linear-integer';
import { multiplyPanels } from './panels';
import { DONE, FAILED, YIELD } from './status';
import { checkPacked, zeroBias } from './weights';

/** A [.., K] x packed W [K, N] + bias [N]; int8 W has scales [N] as input 3. */
export function linear(): i32 {
  const a = input(0);
  const depth = linearK();
  const n = linearN();
  if (progress == 0) {
    if (a.dtype != DType.float32 || a.rank == 0 || a.dim(a.rank - 1) != depth) {
      failInput(0, 'float32 with the last dimension of the weights');
      return FAILED;
    }
    if (hasInput(1) && isInteger(input(1).dtype)) {
      if (!checkInteger(depth, n)) return FAILED;
    } else if (!checkPacked(1, 2, depth, n, 1)) return FAILED;
    output(0).shapeLike(a);
    output(0).setDim(a.rank - 1, n);
    if (!outputAlloc(0, DType.float32, a.rank)) return FAILED;
    setProgress(1);
  }
  const out = output(0);
  if (out.byteLength == 0) return DONE;
  const rows = out.product(0, out.rank - 1);
  const bias = hasInput(2) ? input(2).data : zeroBias(n);
  if (bias == 0) return FAILED;
  readEpilogue(linearEpilogueAt);
  if (depth == 0) return biasAlone(bias, rows, n);
  if (isInteger(input(1).dtype)) return multiplyInteger(a.data, rows, depth, n, bias, out.data);
  return multiplyPanels(a.data, rows, depth, input(1).data, n, bias, out.data);
}

/** Products of no numbers at all: the bias and the epilogue in every row. */
function biasAlone(bias: usize, rows: u32, n: u32): i32 {
  const out = output(0);
  if (progress == 1) {
    if (!copyRows(out.data, <usize>n << 2, bias, 0, rows, <usize>n << 2)) return YIELD;
    setProgress(2);
  }
  return finished(out.data, rows * n, true) ? DONE : YIELD;
}
