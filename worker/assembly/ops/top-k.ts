import { DType } from '../generated/constants';
import {
  failInput, hasInput, input, output, outputAlloc, progress, setProgress, setSlot, slot, temporary,
} from '../tensor/node';
import { dtypeBytes, Tensor } from '../tensor/tensor';
import { resolveAxis } from './axes';
import { unitsOfBlock, yieldsAt } from './blocks';
import { topKAxis, topKLargest } from './generated/attributes';
import { DONE, FAILED, YIELD } from './status';

const SLOT_LINE: u32 = 0;
/** Elements of the line that were looked at, then those that were taken out of the heap. */
const SLOT_AT: u32 = 1;
const SLOT_TAKEN: u32 = 2;
const HEAP: u32 = 0;
/** About what a step in the heap takes. */
const STEP: u64 = 100;

/** The line under way: its first element, and the bytes from one to the next. */
let line: usize = 0;
let step: usize = 0;
let largest: bool = true;
/** Indices of the best so far, the worst of them first. */
let heap: usize = 0;

/** X, k: the k largest or smallest elements along an axis, the first choice first. Values, indices. */
export function topK(): i32 {
  const x = input(0);
  const axis = resolveAxis(topKAxis(), x.rank);
  if (progress == 0 && !begin(x, axis)) return FAILED;
  if (output(0).byteLength == 0) return DONE;
  largest = topKLargest();
  heap = temporary(HEAP, <usize>output(0).dim(axis) << 2);
  if (heap == 0) return FAILED;
  switch (x.dtype) {
    case DType.float32:
      return lines<f32>(x, axis);
    case DType.float64:
      return lines<f64>(x, axis);
    case DType.int64:
      return lines<i64>(x, axis);
    case DType.uint64:
      return lines<u64>(x, axis);
    case DType.int32:
      return lines<i32>(x, axis);
    case DType.uint32:
      return lines<u32>(x, axis);
    case DType.int16:
      return lines<i16>(x, axis);
    case DType.uint16:
      return lines<u16>(x, axis);
    case DType.int8:
      return lines<i8>(x, axis);
    default:
      return lines<u8>(x, axis);
  }
}

function begin(x: Tensor, axis: i32): bool {
  const isNumber = x.dtype != DType.bool && x.dtype != DType.float16 && x.dtype != DType.bfloat16;
  if (!isNumber || axis < 0) {
    failInput(0, 'of numbers, with the axis of the node');
    return false;
  }
  if (!hasInput(1) || input(1).dtype != DType.int64 || input(1).count() != 1) {
    failInput(1, 'one int64');
    return false;
  }
  const k = load<i64>(input(1).data);
  if (k < 0 || k > <i64>x.dim(axis)) {
    failInput(1, 'at most as many as there are along the axis');
    return false;
  }
  for (let i: u32 = 0; i < 2; i++) {
    output(i).shapeLike(x);
    output(i).setDim(axis, <u32>k);
    if (!outputAlloc(i, i == 0 ? x.dtype : DType.int64, x.rank)) return false;
  }
  setProgress(1);
  return true;
}

function lines<T>(x: Tensor, axis: i32): i32 {
  const n = x.dim(axis);
  const inner = x.product(axis + 1, x.rank);
  const k = output(0).dim(axis);
  const count = x.product(0, axis) * inner;
  step = <usize>inner * sizeof<T>();
  const cost = STEP * (33 - clz(k));
  for (let i = slot(SLOT_LINE); i < count; i++) {
    const o = i / inner;
    const c = i % inner;
    line = x.data + (<usize>o * n * inner + c) * sizeof<T>();
    if (!filled<T>(n, k, cost) || !emptied<T>(<usize>o * k * inner + c, inner, k, cost)) {
      setSlot(SLOT_LINE, i);
      return YIELD;
    }
    setSlot(SLOT_AT, 0);
    setSlot(SLOT_TAKEN, 0);
    if (i + 1 < count && yieldsAt(SLOT_LINE, i + 1, STEP)) return YIELD;
  }
  return DONE;
}

/** Looks at all of the line; the heap then holds the k best. False where it yields. */
function filled<T>(n: u32, k: u32, cost: u64): bool {
  const some = unitsOfBlock(cost);
  for (let i = slot(SLOT_AT); i < n; ) {
    const end = i + min(some, n - i);
    const units = end - i;
    for (; i < end; i++) {
      if (i < k) {
        setAt(i, i);
        rise<T>(i);
      } else if (isBetter<T>(i, at(0))) {
        setAt(0, i);
        sink<T>(k);
      }
    }
    if (yieldsAt(SLOT_AT, i, cost * units)) return false;
    setSlot(SLOT_AT, i);
  }
  return true;
}

/** Takes the worst out of the heap until none is left, and writes from the last one on. False where it yields. */
function emptied<T>(first: usize, inner: u32, k: u32, cost: u64): bool {
  const some = unitsOfBlock(cost);
  for (let taken = slot(SLOT_TAKEN); taken < k; ) {
    const end = taken + min(some, k - taken);
    const units = end - taken;
    for (; taken < end; taken++) {
      const left = k - 1 - taken;
      const index = at(0);
      const place = first + <usize>left * inner;
      store<T>(output(0).data + place * sizeof<T>(), load<T>(line + <usize>index * step));
      store<i64>(output(1).data + (place << 3), index);
      setAt(0, at(left));
      sink<T>(left);
    }
    if (taken < k && yieldsAt(SLOT_TAKEN, taken, cost * units)) return false;
  }
  return true;
}

@inline
function at(i: u32): u32 {
  return load<u32>(heap + (<usize>i << 2));
}

@inline
function setAt(i: u32, index: u32): void {
  store<u32>(heap + (<usize>i << 2), index);
}

/** Whether the element of index `a` comes before that of `b`. What is no number is the largest. */
@inline
function isBetter<T>(a: u32, b: u32): bool {
  const x = load<T>(line + <usize>a * step);
  const y = load<T>(line + <usize>b * step);
  if (x == y || (x != x && y != y)) return a < b;
  const above = y == y && (x != x || x > y);
  return above == largest;
}

/** Moves the last of i + 1 up to its place: each is better than the one above it. */
function rise<T>(i: u32): void {
  const index = at(i);
  while (i > 0) {
    const above = (i - 1) >> 1;
    if (!isBetter<T>(at(above), index)) break;
    setAt(i, at(above));
    i = above;
  }
  setAt(i, index);
}

/** Moves the first of `count` down to its place. */
function sink<T>(count: u32): void {
  if (count == 0) return;
  const index = at(0);
  let i: u32 = 0;
  while (true) {
    let below: u32 = 2 * i + 1;
    if (below >= count) break;
    if (below + 1 < count && isBetter<T>(at(below), at(below + 1))) below++;
    if (!isBetter<T>(index, at(below))) break;
    setAt(i, at(below));
    i = below;
  }
  setAt(i, index);
}
