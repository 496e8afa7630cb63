import { input, output, progress } from '../tensor/node';
import { copyOn, sameBytes } from './same-bytes';

/** X: the same tensor under another name. */
export function identity(): i32 {
  if (progress != 0) return copyOn();
  output(0).shapeLike(input(0));
  return sameBytes(input(0).rank);
}
