import { CanisterError, DType } from '../generated/constants';
import { text } from '../tensor/errors';
import { attr, failInput, failNode, input, nodeInputs, output, outputAlloc } from '../tensor/node';
import { dtypeBytes, MAX_RANK } from '../tensor/tensor';
import { indexAt, isIndexes } from './axes';
import { DONE, FAILED } from './status';

/** Largest number of steps of a Range. */
const MAX_STEPS: f64 = 4294967295;

/** shape i64. Words: DType, low bits, high bits of the value. */
export function constantOfShape(): i32 {
  const shape = input(0);
  const rank = shape.count();
  if (!isIndexes(shape) || rank > MAX_RANK) {
    failInput(0, 'int64 with at most 8 sizes');
    return FAILED;
  }
  const out = output(0);
  for (let i: u32 = 0; i < rank; i++) {
    const size = indexAt(shape, i);
    if (size < 0 || size > i64(u32.MAX_VALUE)) {
      failInput(0, 'sizes of at least 0');
      return FAILED;
    }
    out.setDim(i, <u32>size);
  }
  if (!outputAlloc(0, attr(0), rank)) return FAILED;
  const bytes = dtypeBytes(attr(0));
  const value = (<u64>(<u32>attr(2)) << 32) | <u64>(<u32>attr(1));
  // Blocks hold a multiple of 64 bytes, so whole vectors may be written.
  let vector = i64x2.splat(value);
  if (bytes == 4) vector = i32x4.splat(<i32>value);
  else if (bytes == 2) vector = i16x8.splat(<i16>value);
  else if (bytes == 1) vector = i8x16.splat(<i8>value);
  for (let i: usize = 0; i < out.byteLength; i += 16) v128.store(out.data + i, vector);
  return DONE;
}

/** start, limit, delta scalars. */
export function range(): i32 {
  const type = input(0).dtype;
  for (let i: u32 = 0; i < 3; i++) {
    if (nodeInputs != 3 || input(i).dtype != type || input(i).count() != 1) {
      failInput(i, 'a scalar of the same type as the other two');
      return FAILED;
    }
  }
  if (type == DType.float32) return rangeOf<f32>(type);
  if (type == DType.int64) return rangeOf<i64>(type);
  if (type == DType.int32) return rangeOf<i32>(type);
  failInput(0, 'float32, int64 or int32');
  return FAILED;
}

function rangeOf<T>(type: u32): i32 {
  const start = load<T>(input(0).data);
  const delta = load<T>(input(2).data);
  const steps = Math.ceil((<f64>load<T>(input(1).data) - <f64>start) / <f64>delta);
  if (delta == <T>0 || !(steps <= MAX_STEPS)) {
    failNode(CanisterError.badInput);
    text('the range never ends');
    return FAILED;
  }
  const count: u32 = steps > 0 ? <u32>steps : 0;
  output(0).setDim(0, count);
  if (!outputAlloc(0, type, 1)) return FAILED;
  for (let i: u32 = 0; i < count; i++) {
    store<T>(output(0).data + <usize>i * sizeof<T>(), <T>(start + <T>i * delta));
  }
  return DONE;
}
