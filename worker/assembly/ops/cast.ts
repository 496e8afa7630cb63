import { CanisterError, DType, dtypeName } from '../generated/constants';
import { text } from '../tensor/errors';
import { attr, failNode, input, inputDies, output, outputAlloc, takeOver } from '../tensor/node';
import { DONE, FAILED } from './status';

/**
 * To another element type. Words: DType. Floats to integers are cut toward zero and end at the
 * type's bounds, NaN is 0; integers wrap; anything but 0 is true.
 */
export function cast(): i32 {
  const x = input(0);
  const type = <u32>attr(0);
  output(0).shapeLike(x);
  if (type == x.dtype) {
    if (inputDies(0)) {
      takeOver(0, type, x.rank);
      return DONE;
    }
    if (!outputAlloc(0, type, x.rank)) return FAILED;
    memory.copy(output(0).data, x.data, x.byteLength);
    return DONE;
  }
  if (!castable(x.dtype) || !castable(type)) {
    failNode(CanisterError.unsupported);
    text('no cast from ');
    text(dtypeName(x.dtype));
    text(' to ');
    text(dtypeName(type));
    return FAILED;
  }
  if (!outputAlloc(0, type, x.rank)) return FAILED;
  const to = output(0).data;
  const n = x.count();
  switch (x.dtype) {
    case DType.float32:
      fromType<f32>(x.data, to, n, type);
      break;
    case DType.float64:
      fromType<f64>(x.data, to, n, type);
      break;
    case DType.int64:
      fromType<i64>(x.data, to, n, type);
      break;
    case DType.uint64:
      fromType<u64>(x.data, to, n, type);
      break;
    case DType.int32:
      fromType<i32>(x.data, to, n, type);
      break;
    case DType.uint32:
      fromType<u32>(x.data, to, n, type);
      break;
    case DType.int8:
      fromType<i8>(x.data, to, n, type);
      break;
    default:
      fromType<u8>(x.data, to, n, type);
  }
  return DONE;
}

function castable(type: u32): bool {
  return type != DType.float16 && dtypeName(type) != 'unknown';
}

function fromType<From>(src: usize, dst: usize, n: u32, type: u32): void {
  switch (type) {
    case DType.float32:
      loop<From, f32>(src, dst, n);
      break;
    case DType.float64:
      loop<From, f64>(src, dst, n);
      break;
    case DType.int64:
      loop<From, i64>(src, dst, n);
      break;
    case DType.uint64:
      loop<From, u64>(src, dst, n);
      break;
    case DType.int32:
      loop<From, i32>(src, dst, n);
      break;
    case DType.uint32:
      loop<From, u32>(src, dst, n);
      break;
    case DType.int8:
      loop<From, i8>(src, dst, n);
      break;
    case DType.uint8:
      loop<From, u8>(src, dst, n);
      break;
    default:
      for (let i: u32 = 0; i < n; i++) {
        store<u8>(dst + i, <u8>(load<From>(src + <usize>i * sizeof<From>()) != <From>0));
      }
  }
}

@inline
function loop<From, To>(src: usize, dst: usize, n: u32): void {
  for (; n != 0; n--, src += sizeof<From>(), dst += sizeof<To>()) store<To>(dst, <To>load<From>(src));
}
