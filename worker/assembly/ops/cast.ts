import { CanisterError, DType, dtypeName } from '../generated/constants';
import { text } from '../tensor/errors';
import {
  failNode, input, inputDies, output, outputAlloc, progress, setProgress, slot, takeOver,
} from '../tensor/node';
import { dtypeBytes } from '../tensor/tensor';
import { copyRows, unitsOfBlock, yieldsAt } from './blocks';
import { castTo } from './generated/attributes';
import { DONE, FAILED, YIELD } from './status';

/** About what an element takes. */
const COST: u64 = 42;

/**
 * To another element type. Floats to integers are cut toward zero and end at the
 * type's bounds, NaN is 0; integers wrap; anything but 0 is true.
 */
export function cast(): i32 {
  const x = input(0);
  const type = castTo();
  const out = output(0);
  if (progress == 0) {
    out.shapeLike(x);
    if (type == x.dtype && inputDies(0)) {
      takeOver(0, type, x.rank);
      return DONE;
    }
    if (type != x.dtype && (!castable(x.dtype) || !castable(type))) {
      failNode(CanisterError.unsupported);
      text('no cast from ');
      text(dtypeName(x.dtype));
      text(' to ');
      text(dtypeName(type));
      return FAILED;
    }
    if (!outputAlloc(0, type, x.rank)) return FAILED;
    setProgress(1);
  }
  if (type == x.dtype) return copyRows(out.data, 0, x.data, 0, 1, out.byteLength) ? DONE : YIELD;
  const from = dtypeBytes(x.dtype);
  const to = dtypeBytes(type);
  const count = x.count();
  const some = unitsOfBlock(COST);
  for (let i = slot(0); i < count; ) {
    const n = min(some, count - i);
    convert(x.dtype, x.data + <usize>i * from, out.data + <usize>i * to, n, type);
    i += n;
    if (i < count && yieldsAt(0, i, COST * n)) return YIELD;
  }
  return DONE;
}

function convert(from: u32, src: usize, dst: usize, n: u32, type: u32): void {
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
    case DType.int8:
      fromType<i8>(src, dst, n, type);
      break;
    default:
      fromType<u8>(src, dst, n, type);
  }
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
