import { CanisterError, DType, dtypeName, UnaryKind } from '../generated/constants';
import { unary as unaryF32 } from '../kernels/unary';
import { unaryScalar } from '../kernels/unary-scalar';
import { number, text } from '../tensor/errors';
import {
  failNode, input, inputDies, output, outputAlloc, progress, setProgress, slot,
  takeOver,
} from '../tensor/node';
import { dtypeBytes } from '../tensor/tensor';
import { unitsOfBlock, yieldsAt } from './blocks';
import { unaryAlpha, unaryBeta, unaryKind } from './generated/attributes';
import { DONE, FAILED, YIELD } from './status';

/** About what an element takes of the costliest kinds: those of four lanes, integers, and those one by one. */
const COST: u64 = 30;
const COST_INTEGER: u64 = 45;
const COST_ONE_BY_ONE: u64 = 200;
const COST_DOUBLE: u64 = 300;

/** A function of each element. */
export function unary(): i32 {
  const kind = unaryKind();
  const x = input(0);
  if (progress == 0) {
    output(0).shapeLike(x);
    if (inputDies(0)) takeOver(0, x.dtype, x.rank);
    else if (!outputAlloc(0, x.dtype, x.rank)) return FAILED;
    setProgress(1);
  }
  const out = output(0);
  const from = x.data == 0 ? out.data : x.data;
  if (x.dtype == DType.float32) return floats(kind, from, out.data, out.byteLength >>> 2);
  const count = out.count();
  const bytes = dtypeBytes(x.dtype);
  const cost = x.dtype == DType.float64 ? COST_DOUBLE : COST_INTEGER;
  const some = unitsOfBlock(cost);
  for (let i = slot(0); i < count; ) {
    const n = min(some, count - i);
    const offset = <usize>i * bytes;
    if (!others(kind, x.dtype, from + offset, out.data + offset, n)) {
      failNode(CanisterError.unsupported);
      text('kind ');
      number(kind);
      text(' of Unary for ');
      text(dtypeName(x.dtype));
      return FAILED;
    }
    i += n;
    if (i < count && yieldsAt(0, i, cost * n)) return YIELD;
  }
  return DONE;
}

function floats(kind: u32, from: usize, to: usize, count: u32): i32 {
  const alpha = unaryAlpha();
  const beta = unaryBeta();
  const oneByOne =
    kind == UnaryKind.log || kind == UnaryKind.sin || kind == UnaryKind.cos || kind == UnaryKind.softplus ||
    kind >= UnaryKind.acos;
  const cost = oneByOne ? COST_ONE_BY_ONE : COST;
  const unit = unitsOfBlock(cost) & ~3;
  for (let i = slot(0); i < count; ) {
    const some = min(unit, count - i);
    const offset = <usize>i << 2;
    if (!unaryF32(kind, from + offset, to + offset, some, alpha, beta, 1, 0)) {
      failNode(CanisterError.unsupported);
      text('kind ');
      number(kind);
      text(' of Unary');
      return FAILED;
    }
    i += some;
    if (i < count && yieldsAt(0, i, cost * some)) return YIELD;
  }
  return DONE;
}

/** A kind of elements that are no f32. False where there is no such kind for the type. */
function others(kind: u32, type: u32, from: usize, to: usize, count: u32): bool {
  if (type == DType.float64) return unaryScalar<f64>(kind, from, to, count, unaryAlpha(), unaryBeta());
  if (type == DType.bool) return kind == UnaryKind.not && integers<u8>(kind, from, to, count);
  const known =
    kind == UnaryKind.neg || kind == UnaryKind.abs || kind == UnaryKind.sign || kind == UnaryKind.relu ||
    kind == UnaryKind.bitwiseNot;
  if (!known) return false;
  switch (type) {
    case DType.int64:
      return integers<i64>(kind, from, to, count);
    case DType.uint64:
      return integers<u64>(kind, from, to, count);
    case DType.int32:
      return integers<i32>(kind, from, to, count);
    case DType.uint32:
      return integers<u32>(kind, from, to, count);
    case DType.int16:
      return integers<i16>(kind, from, to, count);
    case DType.uint16:
      return integers<u16>(kind, from, to, count);
    case DType.int8:
      return integers<i8>(kind, from, to, count);
    case DType.uint8:
      return integers<u8>(kind, from, to, count);
    default:
      return false;
  }
}

/** neg, abs, sign, relu and bitwiseNot of `count` integers, not of bools. */
function integers<T>(kind: u32, from: usize, to: usize, count: u32): bool {
  for (; count != 0; count--, from += sizeof<T>(), to += sizeof<T>()) {
    const x = load<T>(from);
    let y: T;
    if (kind == UnaryKind.neg) y = <T>(<T>0 - x);
    else if (kind == UnaryKind.abs) y = x < <T>0 ? <T>(<T>0 - x) : x;
    else if (kind == UnaryKind.sign) y = x > <T>0 ? <T>1 : x < <T>0 ? <T>-1 : <T>0;
    else if (kind == UnaryKind.relu) y = x > <T>0 ? x : <T>0;
    else if (kind == UnaryKind.bitwiseNot) y = <T>~x;
    else y = <T>(x == <T>0);
    store<T>(to, y);
  }
  return true;
}
