import { CanisterError, DType, UnaryKind } from '../generated/constants';
import { unary as unaryF32 } from '../kernels/unary';
import { spent } from '../tensor/budget';
import { number, text } from '../tensor/errors';
import {
  attr, attrCount, attrF, failInput, failNode, input, inputDies, output, outputAlloc, progress, setProgress, setSlot,
  slot, takeOver,
} from '../tensor/node';
import { Tensor } from '../tensor/tensor';
import { DONE, FAILED, YIELD } from './status';

const UNIT: u32 = 1 << 18;
/** About what an element of the costliest kinds takes. */
const COST: u64 = 30;

/** Words: UnaryKind, alpha f32, beta f32. */
export function unary(): i32 {
  const kind = <u32>attr(0);
  const x = input(0);
  if (progress == 0) {
    if (attrCount != 3) {
      failNode(CanisterError.badShard);
      text('3 attribute words expected');
      return FAILED;
    }
    output(0).shapeLike(x);
    if (inputDies(0)) takeOver(0, x.dtype, x.rank);
    else if (!outputAlloc(0, x.dtype, x.rank)) return FAILED;
    setProgress(1);
  }
  const out = output(0);
  const from = x.data == 0 ? out.data : x.data;
  if (x.dtype == DType.float32) return floats(kind, from, out.data, out.byteLength >>> 2);
  if (x.dtype == DType.bool && kind == UnaryKind.not) {
    for (let i: u32 = 0; i < out.byteLength; i++) store<u8>(out.data + i, <u8>(load<u8>(from + i) == 0));
    return DONE;
  }
  if (x.dtype == DType.int64 && integers<i64>(kind, from, out)) return DONE;
  if (x.dtype == DType.int32 && integers<i32>(kind, from, out)) return DONE;
  failInput(0, kind == UnaryKind.not ? 'bool' : 'float32 for this kind');
  return FAILED;
}

function floats(kind: u32, from: usize, to: usize, count: u32): i32 {
  const alpha = attrF(1);
  const beta = attrF(2);
  for (let i = slot(0); i < count; ) {
    const some = min(UNIT, count - i);
    const offset = <usize>i << 2;
    if (!unaryF32(kind, from + offset, to + offset, some, alpha, beta, 1, 0)) {
      failNode(CanisterError.unsupported);
      text('kind ');
      number(kind);
      text(' of Unary');
      return FAILED;
    }
    i += some;
    if (i < count && spent(COST * some)) {
      setSlot(0, i);
      return YIELD;
    }
  }
  return DONE;
}

/** neg, abs, sign and relu of integers. */
function integers<T>(kind: u32, from: usize, out: Tensor): bool {
  const count = out.byteLength / sizeof<T>();
  for (let i: u32 = 0; i < count; i++) {
    const offset = <usize>i * sizeof<T>();
    const x = load<T>(from + offset);
    let y: T;
    if (kind == UnaryKind.neg) y = <T>(<T>0 - x);
    else if (kind == UnaryKind.abs) y = x < <T>0 ? <T>(<T>0 - x) : x;
    else if (kind == UnaryKind.sign) y = x > <T>0 ? <T>1 : x < <T>0 ? <T>-1 : <T>0;
    else if (kind == UnaryKind.relu) y = x > <T>0 ? x : <T>0;
    else return false;
    store<T>(out.data + offset, y);
  }
  return true;
}
