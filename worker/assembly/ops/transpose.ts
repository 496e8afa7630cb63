import { CanisterError } from '../generated/constants';
import { text } from '../tensor/errors';
import { attr, attrCount, failNode, input, output, outputAlloc, progress, setProgress } from '../tensor/node';
import { dtypeBytes } from '../tensor/tensor';
import { DONE, FAILED } from './status';
import { addStrided, beginStrided, runStrided } from './strided';

/** Words: permutation. */
export function transpose(): i32 {
  const x = input(0);
  const rank = x.rank;
  const out = output(0);
  if (progress == 0) {
    let seen: u32 = 0;
    for (let i: u32 = 0; i < attrCount; i++) if (<u32>attr(i) < rank) seen |= 1 << attr(i);
    if (attrCount != rank || seen != (1 << rank) - 1) {
      failNode(CanisterError.badShard);
      text('the words are no permutation of the dimensions');
      return FAILED;
    }
    for (let i: u32 = 0; i < rank; i++) out.setDim(i, x.dim(attr(i)));
    if (!outputAlloc(0, x.dtype, rank)) return FAILED;
    setProgress(1);
  }
  if (out.byteLength == 0) return DONE;
  const bytes = dtypeBytes(x.dtype);
  beginStrided();
  for (let i: u32 = 0; i < rank; i++) {
    const axis = <u32>attr(i);
    addStrided(x.dim(axis), <usize>x.product(axis + 1, rank) * bytes);
  }
  return runStrided(out.data, x.data, bytes);
}
