import { DType } from '../generated/constants';
import { copyBytes } from '../kernels/copy';
import {
  failInput, input, output, outputAlloc, progress, setProgress, setSlot, slot, temporary,
} from '../tensor/node';
import { dtypeBytes, Tensor } from '../tensor/tensor';
import { resolveAxis } from './axes';
import { unitsOfBlock, yieldsAt } from './blocks';
import { uniqueAxis, uniqueFlat, uniqueSorted } from './generated/attributes';
import { DONE, FAILED, YIELD } from './status';

/** What is under way; each begins with its slots at 0. */
const LISTING: u32 = 1;
const SORTING: u32 = 2;
const GROUPING: u32 = 3;
const TELLING: u32 = 4;
const RANKING: u32 = 5;
const MOVING: u32 = 6;
const NAMING: u32 = 7;
const COPYING: u32 = 8;

const SLOT_AT: u32 = 0;
const SLOT_WIDTH: u32 = 1;
const SLOT_LEFT: u32 = 2;
const SLOT_RIGHT: u32 = 3;
const SLOT_GROUPS: u32 = 4;
/** About what an entry takes, and a comparison beside its elements. */
const ENTRY: u64 = 120;
const COMPARED: u64 = 70;

/** Parts of X: how many, and [outer, parts, inner] elements. */
let parts: u32 = 0;
let outer: u32 = 0;
let inner: u32 = 0;
/** Indices of parts in order, and room for as many. */
let order: usize = 0;
let other: usize = 0;

/** The different parts of X along an axis. Y, where each is first, which one each is, how often. */
export function unique(): i32 {
  const x = input(0);
  const axis = uniqueFlat() ? 0 : resolveAxis(uniqueAxis(), x.rank);
  if (axis < 0 || x.dtype == DType.float16 || x.dtype == DType.bfloat16) {
    failInput(0, 'of numbers, not float16 or bfloat16, with the axis of the node');
    return FAILED;
  }
  parts = uniqueFlat() ? x.count() : x.dim(axis);
  outer = uniqueFlat() ? 1 : x.product(0, axis);
  inner = uniqueFlat() ? 1 : x.product(axis + 1, x.rank);
  order = temporary(0, (<usize>parts << 2) + 4);
  other = temporary(1, (<usize>parts << 2) + 4);
  if (order == 0 || other == 0) return FAILED;
  if (progress == 0) setProgress(LISTING);
  if (progress == LISTING && !listed()) return YIELD;
  if (progress == SORTING && !sorted(x)) return YIELD;
  if (progress == GROUPING) {
    if (!grouped(x)) return YIELD;
    if (!begin(x, axis, slot(SLOT_GROUPS))) return FAILED;
  }
  const groups = output(1).dim(0);
  if (progress == TELLING && !told()) return YIELD;
  if (progress == RANKING && !ranked()) return YIELD;
  if (progress == MOVING && !moved(groups)) return YIELD;
  if (progress == NAMING && !renamed()) return YIELD;
  return copied(x, groups) ? DONE : YIELD;
}

function next(what: u32): bool {
  for (let i = SLOT_AT; i <= SLOT_RIGHT; i++) setSlot(i, 0);
  setProgress(what);
  return true;
}

@inline
function entry(list: usize, i: u32): u32 {
  return load<u32>(list + (<usize>i << 2));
}

@inline
function setEntry(list: usize, i: u32, value: u32): void {
  store<u32>(list + (<usize>i << 2), value);
}

@inline
function long(index: u32, i: u32): u32 {
  return <u32>load<i64>(output(index).data + (<usize>i << 3));
}

@inline
function setLong(index: u32, i: u32, value: u32): void {
  store<i64>(output(index).data + (<usize>i << 3), value);
}

function listed(): bool {
  const some = unitsOfBlock(ENTRY);
  for (let i = slot(SLOT_AT); i < parts; ) {
    const end = i + min(some, parts - i);
    const units = end - i;
    for (; i < end; i++) setEntry(order, i, i);
    if (yieldsAt(SLOT_AT, i, ENTRY * units)) return false;
  }
  return next(SORTING);
}

/** Merges runs of one width into those of twice the width; lists take turns. */
function sorted(x: Tensor): bool {
  const cost = ENTRY + COMPARED * outer * inner;
  const some = unitsOfBlock(cost);
  let units: u32 = 0;
  for (let width = max(slot(SLOT_WIDTH), 1); width < parts; width <<= 1) {
    const turn = (ctz(width) & 1) == 1;
    const from = turn ? other : order;
    const to = turn ? order : other;
    for (let at = slot(SLOT_AT); at < parts; at++) {
      const start = at & ~(2 * width - 1);
      const middle = min(start + width, parts);
      const end = <u32>min<u64>(<u64>start + 2 * width, parts);
      if (at == start) {
        setSlot(SLOT_LEFT, start);
        setSlot(SLOT_RIGHT, middle);
      }
      const left = slot(SLOT_LEFT);
      const right = slot(SLOT_RIGHT);
      const takesLeft =
        right >= end || (left < middle && compare(x, entry(from, left), entry(from, right)) <= 0);
      setEntry(to, at, entry(from, takesLeft ? left : right));
      if (takesLeft) setSlot(SLOT_LEFT, left + 1);
      else setSlot(SLOT_RIGHT, right + 1);
      if (++units == some) {
        units = 0;
        if (yieldsAt(SLOT_AT, at + 1, cost * some)) {
          setSlot(SLOT_WIDTH, width);
          return false;
        }
      }
    }
    setSlot(SLOT_AT, 0);
  }
  return next(GROUPING);
}

/** The list that is sorted; the other one is free. */
@inline
function result(): usize {
  const turns = parts < 2 ? 0 : 32 - clz(parts - 1);
  return (turns & 1) == 1 ? other : order;
}

@inline
function free(): usize {
  return result() == order ? other : order;
}

/** Writes the number of its group for each place in the order. */
function grouped(x: Tensor): bool {
  const cost = ENTRY + COMPARED * outer * inner;
  const some = unitsOfBlock(cost);
  for (let i = slot(SLOT_AT); i < parts; ) {
    const end = i + min(some, parts - i);
    const units = end - i;
    for (; i < end; i++) {
      const isNew = i == 0 || compare(x, entry(result(), i - 1), entry(result(), i)) != 0;
      if (isNew) setSlot(SLOT_GROUPS, slot(SLOT_GROUPS) + 1);
      setEntry(free(), i, slot(SLOT_GROUPS) - 1);
    }
    if (yieldsAt(SLOT_AT, i, cost * units)) return false;
  }
  return true;
}

function begin(x: Tensor, axis: i32, groups: u32): bool {
  const y = output(0);
  if (!uniqueFlat()) y.shapeLike(x);
  y.setDim(axis, groups);
  if (!outputAlloc(0, x.dtype, uniqueFlat() ? 1 : x.rank)) return false;
  for (let i: u32 = 1; i < 4; i++) {
    output(i).setDim(0, i == 2 ? parts : groups);
    if (!outputAlloc(i, DType.int64, 1)) return false;
  }
  return next(TELLING);
}

/** First places, groups and numbers, in sorted order. */
function told(): bool {
  const some = unitsOfBlock(ENTRY);
  for (let i = slot(SLOT_AT); i < parts; ) {
    const end = i + min(some, parts - i);
    const units = end - i;
    for (; i < end; i++) {
      const part = entry(result(), i);
      const group = entry(free(), i);
      const isFirst = i == 0 || entry(free(), i - 1) != group;
      setLong(2, part, group);
      // Equal parts keep their order, so that the first of them is the first of all.
      if (isFirst) setLong(1, group, part);
      setLong(3, group, isFirst ? 1 : long(3, group) + 1);
    }
    if (yieldsAt(SLOT_AT, i, ENTRY * units)) return false;
  }
  return next(uniqueSorted() ? COPYING : RANKING);
}

/** Numbers groups as they come first: new numbers in `order`, by the old ones. */
function ranked(): bool {
  const some = unitsOfBlock(ENTRY);
  for (let i = slot(SLOT_AT); i < parts; ) {
    const end = i + min(some, parts - i);
    const units = end - i;
    for (; i < end; i++) {
      const group = long(2, i);
      if (long(1, group) != i) continue;
      setEntry(order, group, slot(SLOT_LEFT));
      setSlot(SLOT_LEFT, slot(SLOT_LEFT) + 1);
    }
    if (yieldsAt(SLOT_AT, i, ENTRY * units)) return false;
  }
  return next(MOVING);
}

/** Puts first places and numbers where their groups have moved to, one output after the other. */
function moved(groups: u32): bool {
  const some = unitsOfBlock(ENTRY);
  // Twice over each output: to the free list, and back to the new places.
  const all: u32 = 4 * groups;
  for (let i = slot(SLOT_AT); i < all; ) {
    const end = i + min(some, all - i);
    const units = end - i;
    for (; i < end; i++) {
      const pass = i / groups;
      const group = i % groups;
      const index: u32 = pass < 2 ? 1 : 3;
      if ((pass & 1) == 0) setEntry(other, group, long(index, group));
      else setLong(index, entry(order, group), entry(other, group));
    }
    if (yieldsAt(SLOT_AT, i, ENTRY * units)) return false;
  }
  return next(NAMING);
}

function renamed(): bool {
  const some = unitsOfBlock(ENTRY);
  for (let i = slot(SLOT_AT); i < parts; ) {
    const end = i + min(some, parts - i);
    const units = end - i;
    for (; i < end; i++) setLong(2, i, entry(order, long(2, i)));
    if (yieldsAt(SLOT_AT, i, ENTRY * units)) return false;
  }
  return next(COPYING);
}

/** Copies the first part of each group. */
function copied(x: Tensor, groups: u32): bool {
  const block = <usize>inner * dtypeBytes(x.dtype);
  const blocks = groups * outer;
  const some = unitsOfBlock(ENTRY + block / 2);
  for (let i = slot(SLOT_AT); i < blocks; ) {
    const end = i + min(some, blocks - i);
    const units = end - i;
    for (; i < end; i++) {
      const from = <usize>((i / groups) * parts + long(1, i % groups)) * block;
      copyBytes(output(0).data + <usize>i * block, x.data + from, block);
    }
    if (i < blocks && yieldsAt(SLOT_AT, i, (ENTRY + block / 2) * units)) return false;
  }
  return true;
}

/** Below 0 where part `a` comes before part `b`, 0 where they are alike. */
function compare(x: Tensor, a: u32, b: u32): i32 {
  switch (x.dtype) {
    case DType.float32:
      return compareOf<f32>(x, a, b);
    case DType.float64:
      return compareOf<f64>(x, a, b);
    case DType.int64:
      return compareOf<i64>(x, a, b);
    case DType.uint64:
      return compareOf<u64>(x, a, b);
    case DType.int32:
      return compareOf<i32>(x, a, b);
    case DType.uint32:
      return compareOf<u32>(x, a, b);
    case DType.int16:
      return compareOf<i16>(x, a, b);
    case DType.uint16:
      return compareOf<u16>(x, a, b);
    case DType.int8:
      return compareOf<i8>(x, a, b);
    default:
      return compareOf<u8>(x, a, b);
  }
}

/** What is no number is larger than all others. */
function compareOf<T>(x: Tensor, a: u32, b: u32): i32 {
  for (let o: u32 = 0; o < outer; o++) {
    let p = x.data + <usize>(o * parts + a) * inner * sizeof<T>();
    let q = x.data + <usize>(o * parts + b) * inner * sizeof<T>();
    for (let i = inner; i != 0; i--, p += sizeof<T>(), q += sizeof<T>()) {
      const left = load<T>(p);
      const right = load<T>(q);
      if (left == right || (left != left && right != right)) continue;
      return right != right || left < right ? -1 : 1;
    }
  }
  return 0;
}
