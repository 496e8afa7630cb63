import { DType } from '../generated/constants';
import { fromBfloat, fromHalf, toBfloat, toHalf } from './half';

/** Float32 numbers that stored ones of 16 bits become on their way, so many at a time. */
const PIECE: u32 = 256;
const piece: usize = memory.data(1024, 16);

/**
 * dst[i] = src[i] in another type, for 0 <= i < n. Floats to integers are cut towards zero; what the
 * integers cannot hold becomes what x86 makes of it, as in onnxruntime: the lowest number of 32 or 64
 * bits, of which smaller types take the low bits. Integers wrap; anything but 0 is true. Numbers of 16
 * bits are made of those of 32, half to even.
 */
export function convert(from: u32, src: usize, dst: usize, n: u32, type: u32): void {
  switch (from) {
    case DType.float32:
      fromType<f32>(src, dst, n, type);
      break;
    case DType.float64:
      fromType<f64>(src, dst, n, type);
      break;
    case DType.int64:
      fromType<i64>(src, dst, n, type);
      break;
    case DType.uint64:
      fromType<u64>(src, dst, n, type);
      break;
    case DType.int32:
      fromType<i32>(src, dst, n, type);
      break;
    case DType.uint32:
      fromType<u32>(src, dst, n, type);
      break;
    case DType.int16:
      fromType<i16>(src, dst, n, type);
      break;
    case DType.uint16:
      fromType<u16>(src, dst, n, type);
      break;
    case DType.int8:
      fromType<i8>(src, dst, n, type);
      break;
    case DType.float16:
    case DType.bfloat16:
      fromStored(from, src, dst, n, type);
      break;
    default:
      fromType<u8>(src, dst, n, type);
  }
}

function fromStored(from: u32, src: usize, dst: usize, n: u32, type: u32): void {
  const size = type == DType.float32 ? 4 : bytesOf(type);
  while (n != 0) {
    const some = min(n, PIECE);
    const to = type == DType.float32 ? dst : piece;
    for (let i: u32 = 0; i < some; i++) {
      const bits = <u32>load<u16>(src + (<usize>i << 1));
      store<f32>(to + (<usize>i << 2), from == DType.float16 ? fromHalf(bits) : fromBfloat(bits));
    }
    if (type != DType.float32) fromType<f32>(piece, dst, some, type);
    src += <usize>some << 1;
    dst += <usize>some * size;
    n -= some;
  }
}

function bytesOf(type: u32): u32 {
  if (type == DType.float64 || type == DType.int64 || type == DType.uint64) return 8;
  if (type == DType.int32 || type == DType.uint32) return 4;
  return type == DType.bool || type == DType.int8 || type == DType.uint8 ? 1 : 2;
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
    case DType.int16:
      loop<From, i16>(src, dst, n);
      break;
    case DType.uint16:
      loop<From, u16>(src, dst, n);
      break;
    case DType.int8:
      loop<From, i8>(src, dst, n);
      break;
    case DType.uint8:
      loop<From, u8>(src, dst, n);
      break;
    case DType.float16:
      for (let i: u32 = 0; i < n; i++) {
        store<u16>(dst + (<usize>i << 1), <u16>toHalf(<f32>load<From>(src + <usize>i * sizeof<From>())));
      }
      break;
    case DType.bfloat16:
      for (let i: u32 = 0; i < n; i++) {
        store<u16>(dst + (<usize>i << 1), <u16>toBfloat(<f32>load<From>(src + <usize>i * sizeof<From>())));
      }
      break;
    default:
      for (let i: u32 = 0; i < n; i++) {
        store<u8>(dst + i, <u8>(load<From>(src + <usize>i * sizeof<From>()) != <From>0));
      }
  }
}

@inline
function loop<From, To>(src: usize, dst: usize, n: u32): void {
  for (; n != 0; n--, src += sizeof<From>(), dst += sizeof<To>()) {
    store<To>(dst, element<From, To>(load<From>(src)));
  }
}

@inline
function element<From, To>(x: From): To {
  if (isFloat<From>() && isInteger<To>()) {
    if (sizeof<To>() < 4 || (sizeof<To>() == 4 && isSigned<To>())) return <To>toI32<From>(x);
    if (sizeof<To>() == 8 && !isSigned<To>() && x >= <From>9223372036854775808.0) {
      return <To>(toI64<From>(<From>(x - <From>9223372036854775808.0)) ^ i64.MIN_VALUE);
    }
    return <To>toI64<From>(x);
  }
  return <To>x;
}

@inline
function toI32<From>(x: From): i32 {
  return x > <From>-2147483649.0 && x < <From>2147483648.0 ? <i32>x : i32.MIN_VALUE;
}

@inline
function toI64<From>(x: From): i64 {
  return x >= <From>-9223372036854775808.0 && x < <From>9223372036854775808.0 ? <i64>x : i64.MIN_VALUE;
}
