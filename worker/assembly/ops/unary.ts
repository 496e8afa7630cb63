import { CanisterError, DType, UnaryKind } from '../generated/constants';
import { unary as unaryF32 } from '../kernels/unary';
import { number, text } from '../tensor/errors';
import {
  failInput, failNode, input, inputDies, output, outputAlloc, progress, setProgress, slot,
  takeOver,
} from '../tensor/node';
import { unitsOfBlock, yieldsAt } from './blocks';
import { unaryAlpha, unaryBeta, unaryKind } from './generated/attributes';
import { DONE, FAILED, YIELD } from './status';

/** About what an element takes of the costliest kinds: those of four lanes, integers, and those one by one. */
const COST: u64 = 30;
const COST_INTEGER: u64 = 45;
const COST_ONE_BY_ONE: u64 = 120;

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
  const isBool = x.dtype == DType.bool && kind == UnaryKind.not;
  if (!isBool && !((x.dtype == DType.int64 || x.dtype == DType.int32) && takesIntegers(kind))) {
    failInput(0, kind == UnaryKind.not ? 'bool' : 'float32 for this kind');
    return FAILED;
  }
  const count = out.count();
  const some = unitsOfBlock(COST_INTEGER);
  for (let i = slot(0); i < count; ) {
    const n = min(some, count - i);
    if (isBool) negate(from + i, out.data + i, n);
    else if (x.dtype == DType.int64) integers<i64>(kind, from + (<usize>i << 3), out.data + (<usize>i << 3), n);
    else integers<i32>(kind, from + (<usize>i << 2), out.data + (<usize>i << 2), n);
    i += n;
    if (i < count && yieldsAt(0, i, COST_INTEGER * n)) return YIELD;
  }
  return DONE;
}

function floats(kind: u32, from: usize, to: usize, count: u32): i32 {
  const alpha = unaryAlpha();
  const beta = unaryBeta();
  const oneByOne =
    kind == UnaryKind.log || kind == UnaryKind.sin || kind == UnaryKind.cos || kind == UnaryKind.softplus;
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

/** not of `count` bools. */
function negate(from: usize, to: usize, count: u32): void {
  for (; count != 0; count--) store<u8>(to++, <u8>(load<u8>(from++) == 0));
}

function takesIntegers(kind: u32): bool {
  return kind == UnaryKind.neg || kind == UnaryKind.abs || kind == UnaryKind.sign || kind == UnaryKind.relu;
}

/** neg, abs, sign and relu of `count` integers. */
function integers<T>(kind: u32, from: usize, to: usize, count: u32): void {
  for (; count != 0; count--, from += sizeof<T>(), to += sizeof<T>()) {
    const x = load<T>(from);
    let y: T;
    if (kind == UnaryKind.neg) y = <T>(<T>0 - x);
    else if (kind == UnaryKind.abs) y = x < <T>0 ? <T>(<T>0 - x) : x;
    else if (kind == UnaryKind.sign) y = x > <T>0 ? <T>1 : x < <T>0 ? <T>-1 : <T>0;
    else y = x > <T>0 ? x : <T>0;
    store<T>(to, y);
  }
}
