import { failInput, input, output, progress } from '../tensor/node';
import { flattenAxis } from './generated/attributes';
import { copyOn, sameBytes } from './same-bytes';
import { FAILED } from './status';

/** Two dimensions: those before the axis, and the others. */
export function flatten(): i32 {
  if (progress != 0) return copyOn();
  const x = input(0);
  const axis = flattenAxis() < 0 ? flattenAxis() + <i32>x.rank : flattenAxis();
  if (axis < 0 || axis > <i32>x.rank) {
    failInput(0, 'of at least as many dimensions as the axis');
    return FAILED;
  }
  // An empty tensor may have other sizes whose product is too large for one.
  for (let side = 0; side < 2; side++) {
    let size: u64 = 1;
    for (let i = side == 0 ? 0 : axis; i < (side == 0 ? axis : <i32>x.rank); i++) {
      size = x.dim(i) == 0 || size == 0 ? 0 : min<u64>(size * x.dim(i), u64(1) << 32);
    }
    if (size > u64(u32.MAX_VALUE)) {
      failInput(0, 'of sizes whose products are below 2^32');
      return FAILED;
    }
    output(0).setDim(side, <u32>size);
  }
  return sameBytes(2);
}
