import { CanisterError } from '../generated/constants';
import { text } from '../tensor/errors';
import { failNode, input, output, outputAlloc, progress, setProgress } from '../tensor/node';
import { dtypeBytes } from '../tensor/tensor';
import { transposePermutation, transposePermutationCount } from './generated/attributes';
import { DONE, FAILED } from './status';
import { addStrided, beginStrided, runStrided } from './strided';

/** X with its dimensions in another order. */
export function transpose(): i32 {
  const x = input(0);
  const rank = x.rank;
  const out = output(0);
  if (progress == 0) {
    let seen: u32 = 0;
    for (let i: u32 = 0; i < transposePermutationCount(); i++) if (<u32>transposePermutation(i) < rank) seen |= 1 << transposePermutation(i);
    if (transposePermutationCount() != rank || seen != (1 << rank) - 1) {
      failNode(CanisterError.badShard);
      text('the words are no permutation of the dimensions');
      return FAILED;
    }
    for (let i: u32 = 0; i < rank; i++) out.setDim(i, x.dim(transposePermutation(i)));
    if (!outputAlloc(0, x.dtype, rank)) return FAILED;
    setProgress(1);
  }
  if (out.byteLength == 0) return DONE;
  const bytes = dtypeBytes(x.dtype);
  beginStrided();
  for (let i: u32 = 0; i < rank; i++) {
    const axis = <u32>transposePermutation(i);
    addStrided(x.dim(axis), <usize>x.product(axis + 1, rank) * bytes);
  }
  return runStrided(out.data, x.data, bytes);
}
