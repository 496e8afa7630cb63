import { DType, ScatterReduction } from '../generated/constants';

@inline
function merged<T>(reduction: u32, a: T, b: T): T {
  if (reduction == ScatterReduction.add) return <T>(a + b);
  if (reduction == ScatterReduction.mul) return <T>(a * b);
  if (reduction == ScatterReduction.max) return a < b ? b : a;
  return b < a ? b : a;
}

@inline
function mergeOf<T>(reduction: u32, to: usize, from: usize, count: u32): void {
  for (; count != 0; count--, to += sizeof<T>(), from += sizeof<T>()) {
    store<T>(to, merged<T>(reduction, load<T>(to), load<T>(from)));
  }
}

/** `count` elements of a type at `to`, each merged with one at `from`; by a reduction other than none. */
export function mergeElements(type: u32, reduction: u32, to: usize, from: usize, count: u32): void {
  switch (type) {
    case DType.float32:
      mergeOf<f32>(reduction, to, from, count);
      break;
    case DType.float64:
      mergeOf<f64>(reduction, to, from, count);
      break;
    case DType.int64:
      mergeOf<i64>(reduction, to, from, count);
      break;
    case DType.uint64:
      mergeOf<u64>(reduction, to, from, count);
      break;
    case DType.int32:
      mergeOf<i32>(reduction, to, from, count);
      break;
    case DType.uint32:
      mergeOf<u32>(reduction, to, from, count);
      break;
    case DType.int16:
      mergeOf<i16>(reduction, to, from, count);
      break;
    case DType.uint16:
      mergeOf<u16>(reduction, to, from, count);
      break;
    case DType.int8:
      mergeOf<i8>(reduction, to, from, count);
      break;
    case DType.uint8:
      mergeOf<u8>(reduction, to, from, count);
      break;
    default:
      mergeBools(reduction, to, from, count);
  }
}

/** Of bools: a sum or the larger is or, a product or the smaller is and. */
function mergeBools(reduction: u32, to: usize, from: usize, count: u32): void {
  const any = reduction == ScatterReduction.add || reduction == ScatterReduction.max;
  for (; count != 0; count--, to++, from++) {
    const a = load<u8>(to);
    const b = load<u8>(from);
    store<u8>(to, any ? a | b : a & b);
  }
}
