import { DType } from '../generated/constants';
import { failInput, hasInput, input, output, outputAlloc, progress, setProgress, slot, temporary } from '../tensor/node';
import { unitsOfBlock, yieldsAt } from './blocks';
import { quantizedSoftmaxAxis } from './generated/attributes';
import { isBytes } from './integer-product';
import { integerAt } from './scales';
import { DONE, FAILED, YIELD } from './status';

/** About what an element takes, and a row beside them. */
const COST: u64 = 200;
const ROW: u64 = 60;
/** Room under the largest float that sums are kept from, as a power of e. */
const RESERVE: f64 = 5;

/** X, its scale, scale and zero point of the result: Softmax over all dimensions from the axis on as one. */
export function quantizedSoftmax(): i32 {
  const x = input(0);
  const axis = quantizedSoftmaxAxis();
  if (progress == 0 && !begin(axis)) return FAILED;
  const table = temporary(0, 1024);
  if (table == 0) return FAILED;
  const out = output(0);
  if (out.byteLength == 0) return DONE;
  const n = x.product(axis, x.rank);
  const rows = x.product(0, axis);
  if (progress == 1) {
    fillTable(table, load<f32>(input(1).data), n, x.dtype == DType.int8);
    setProgress(2);
  }
  const factor = floor<f32>(<f32>1 / load<f32>(input(2).data));
  const zero = hasInput(3) ? integerAt(input(3).data, x.dtype, 0) : 0;
  const some = unitsOfBlock(COST * n + ROW);
  for (let row = slot(0); row < rows; ) {
    const end = row + min(some, rows - row);
    const count = end - row;
    for (; row < end; row++) {
      const at = row * n;
      if (x.dtype == DType.int8) softmaxRow<i8>(x.data + at, out.data + at, n, table, factor, zero);
      else softmaxRow<u8>(x.data + at, out.data + at, n, table, factor, zero);
    }
    if (row < rows && yieldsAt(0, row, <u64>count * (COST * n + ROW))) return YIELD;
  }
  return DONE;
}

function begin(axis: u32): bool {
  const x = input(0);
  if (!isBytes(x.dtype) || axis >= x.rank || x.product(axis, x.rank) > 1 << 18) {
    failInput(0, 'int8 or uint8 with the axis of the node, and at most 262144 numbers behind it');
    return false;
  }
  for (let i: u32 = 1; i < 3; i++) {
    if (!hasInput(i) || input(i).dtype != DType.float32 || input(i).count() != 1) {
      failInput(i, 'one float32');
      return false;
    }
  }
  if (hasInput(3) && (input(3).dtype != x.dtype || input(3).count() != 1)) {
    failInput(3, 'one number of the type of the first');
    return false;
  }
  output(0).shapeLike(x);
  setProgress(1);
  return outputAlloc(0, x.dtype, x.rank);
}

/** Exponentials of all bytes, the largest as large as so many of it can be added up. */
function fillTable(table: usize, scale: f32, n: u32, signed: bool): void {
  const top = NativeMath.log(<f64>(f32.MAX_VALUE / <f32>n));
  const shift = max<f64>(0, top - RESERVE) / <f64>scale;
  for (let i: u32 = 0; i < 256; i++) {
    const power = NativeMath.exp((<f64>i - 255 + shift) * <f64>scale);
    store<f32>(table + (<usize>(signed ? (i + 128) & 255 : i) << 2), <f32>power);
  }
}

@inline
function softmaxRow<T>(x: usize, out: usize, n: u32, table: usize, factor: f32, zero: i32): void {
  const end = x + n;
  let most = <i32>load<T>(x);
  for (let p = x; p < end; p++) most = max(most, <i32>load<T>(p));
  const shift = (isSigned<T>() ? 127 : 255) - most;
  let sum: f32 = 0;
  for (let p = x; p < end; p++) sum += power<T>(table, p, shift);
  for (let p = x; p < end; p++, out++) {
    const y = wholeOf<T>((power<T>(table, p, shift) * factor) / sum) + zero;
    store<u8>(out, <u8>min(y, isSigned<T>() ? 127 : 255));
  }
}

/** Rounded half to even; what is too large becomes what x86 makes of it, as in onnxruntime. */
@inline
function wholeOf<T>(x: f32): i32 {
  if (x < 2147483648.0) return <i32>nearest<f32>(x);
  return isSigned<T>() ? i32.MIN_VALUE : 0;
}

/** The exponential of a number, all moved so that the largest is the largest byte. */
@inline
function power<T>(table: usize, p: usize, shift: i32): f32 {
  return load<f32>(table + (<usize>((<i32>load<T>(p) + shift) & 255) << 2));
}
