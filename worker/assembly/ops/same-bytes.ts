import { input, inputDies, output, outputAlloc, setProgress, takeOver } from '../tensor/node';
import { copyRows } from './blocks';
import { DONE, FAILED, YIELD } from './status';

/** Output 0 has its dimensions: gives it input 0's bytes, as elements of a type of the same size; the buffer itself where that may move. */
export function sameBytes(rank: u32, dtype: u32 = input(0).dtype): i32 {
  if (inputDies(0)) {
    takeOver(0, dtype, rank);
    return DONE;
  }
  if (!outputAlloc(0, dtype, rank)) return FAILED;
  setProgress(1);
  return copyOn();
}

/** Copies, or goes on with it: all that is left once the output is there. */
export function copyOn(): i32 {
  const out = output(0);
  return copyRows(out.data, 0, input(0).data, 0, 1, out.byteLength) ? DONE : YIELD;
}
