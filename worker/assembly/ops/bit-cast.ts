import { failInput, input, output, progress } from '../tensor/node';
import { dtypeBytes } from '../tensor/tensor';
import { bitCastTo } from './generated/attributes';
import { copyOn, sameBytes } from './same-bytes';
import { FAILED } from './status';

/** X: the same bits as elements of another type that take as many bytes. */
export function bitCast(): i32 {
  if (progress != 0) return copyOn();
  const x = input(0);
  const to = bitCastTo();
  if (dtypeBytes(to) == 0 || dtypeBytes(to) != dtypeBytes(x.dtype)) {
    failInput(0, 'of elements that take as many bytes as those of the result');
    return FAILED;
  }
  output(0).shapeLike(x);
  return sameBytes(x.rank, to);
}
