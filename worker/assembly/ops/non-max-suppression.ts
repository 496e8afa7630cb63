import { DType } from '../generated/constants';
import {
  failInput, hasInput, input, output, outputAlloc, progress, setProgress, setSlot, slot, temporary,
} from '../tensor/node';
import { indexAt, isIndexes } from './axes';
import { copyRows, yieldsAt } from './blocks';
import { nonMaxSuppressionCentred } from './generated/attributes';
import { DONE, FAILED, YIELD } from './status';

/** Image and class under way, boxes of it that are in the heap, that were looked at, and that are chosen. */
const SLOT_CLASS: u32 = 2;
const SLOT_HEAP: u32 = 3;
const SLOT_NEXT: u32 = 4;
const SLOT_CHOSEN: u32 = 5;
/** Boxes chosen of classes before, in all. */
const SLOT_BEFORE: u32 = 6;
const HEAP: u32 = 0;
const CHOSEN: u32 = 1;
/** Progress while boxes are chosen, and while those chosen are copied. */
const CHOOSING: u32 = 1;
const COPYING: u32 = 2;
/** About what a step in the heap and a comparison of two boxes take. */
const STEP: u64 = 60;
const COMPARISON: u64 = 100;

let boxes: usize = 0;
let scores: usize = 0;
let heap: usize = 0;
/** Work since the last look at the budget, of one class or several. */
let unchecked: u64 = 0;

/** Boxes, scores, most?, overlap?, score?: image, class and box of each that is chosen. */
export function nonMaxSuppression(): i32 {
  const boxTensor = input(0);
  const scoreTensor = input(1);
  if (progress == 0) {
    if (!check()) return FAILED;
    unchecked = 0;
    setProgress(CHOOSING);
  }
  const count = boxTensor.dim(1);
  const classes = scoreTensor.dim(1);
  const all = boxTensor.dim(0) * classes;
  const given: i64 = hasInput(2) ? indexAt(input(2), 0) : 0;
  const most = <u32>max<i64>(0, min<i64>(given, count));
  const overlap = hasInput(3) ? load<f32>(input(3).data) : 0;
  const threshold = hasInput(4) ? load<f32>(input(4).data) : -Infinity;
  const bytes = <u64>all * most * 24;
  const chosen = temporary(CHOSEN, <usize>min<u64>(max<u64>(bytes, 16), u32.MAX_VALUE));
  heap = temporary(HEAP, max(<usize>count << 2, 16));
  if (chosen == 0 || heap == 0) return FAILED;
  if (progress == CHOOSING) {
    if (most > 0 && count > 0) {
      for (let group = slot(SLOT_CLASS); group < all; group++) {
        boxes = boxTensor.data + (<usize>(group / classes) * count << 4);
        scores = scoreTensor.data + (<usize>group * count << 2);
        if (!collect(count, threshold, hasInput(4)) || !choose(chosen, group, classes, most, overlap)) {
          setSlot(SLOT_CLASS, group);
          return YIELD;
        }
      }
    }
    output(0).setDim(0, slot(SLOT_BEFORE));
    output(0).setDim(1, 3);
    if (!outputAlloc(0, DType.int64, 2)) return FAILED;
    setProgress(COPYING);
  }
  return copyRows(output(0).data, 0, chosen, 0, 1, output(0).byteLength) ? DONE : YIELD;
}

function check(): bool {
  const b = input(0);
  const s = input(1);
  if (b.dtype != DType.float32 || b.rank != 3 || b.dim(2) != 4) {
    failInput(0, 'float32 [images, boxes, 4]');
    return false;
  }
  if (s.dtype != DType.float32 || s.rank != 3 || s.dim(0) != b.dim(0) || s.dim(2) != b.dim(1)) {
    failInput(1, 'float32 [images, classes, boxes]');
    return false;
  }
  if (hasInput(2) && (!isIndexes(input(2)) || input(2).count() != 1)) {
    failInput(2, 'an int64');
    return false;
  }
  for (let i: u32 = 3; i < 5; i++) {
    if (hasInput(i) && (input(i).dtype != DType.float32 || input(i).count() != 1)) {
      failInput(i, 'a float32');
      return false;
    }
  }
  const overlap: f32 = hasInput(3) ? load<f32>(input(3).data) : 0;
  if (overlap >= 0 && overlap <= 1) return true;
  failInput(3, 'from 0 to 1');
  return false;
}

@inline
function entry(i: u32): u32 {
  return load<u32>(heap + (<usize>i << 2));
}

@inline
function setEntry(i: u32, box: u32): void {
  store<u32>(heap + (<usize>i << 2), box);
}

/** Whether a box comes before another: by its score, then by its place. */
@inline
function before(a: u32, b: u32): bool {
  const x = load<f32>(scores + (<usize>a << 2));
  const y = load<f32>(scores + (<usize>b << 2));
  return x > y || (x == y && a < b);
}

/** Puts the boxes of a class that are above the threshold in the heap. False where it yields. */
function collect(count: u32, threshold: f32, isGiven: bool): bool {
  let size = slot(SLOT_HEAP);
  for (let box = slot(SLOT_NEXT); box < count; ) {
    if (!isGiven || load<f32>(scores + (<usize>box << 2)) > threshold) {
      let at = size++;
      while (at > 0) {
        const parent = (at - 1) >>> 1;
        if (!before(box, entry(parent))) break;
        setEntry(at, entry(parent));
        at = parent;
        unchecked += STEP;
      }
      setEntry(at, box);
    }
    box++;
    unchecked += STEP;
    if (unchecked > 1_000_000 && looks(size, box)) return false;
  }
  setSlot(SLOT_HEAP, size);
  setSlot(SLOT_NEXT, count);
  return true;
}

/** Whether to yield; boxes in the heap and the next to look at are kept. */
function looks(size: u32, next: u32): bool {
  setSlot(SLOT_HEAP, size);
  setSlot(SLOT_NEXT, next);
  const work = unchecked;
  unchecked = 0;
  return yieldsAt(SLOT_NEXT, next, work);
}

/** Takes the first of the heap, of `size` boxes. */
function take(size: u32): u32 {
  const first = entry(0);
  const last = entry(size - 1);
  const left = size - 1;
  let at: u32 = 0;
  for (;;) {
    let child: u32 = 2 * at + 1;
    if (child >= left) break;
    if (child + 1 < left && before(entry(child + 1), entry(child))) child++;
    if (!before(entry(child), last)) break;
    setEntry(at, entry(child));
    at = child;
  }
  if (left > 0) setEntry(at, last);
  return first;
}

/** Chooses boxes of the class whose heap is full. False where it yields; else all slots but those before are 0. */
function choose(chosen: usize, group: u32, classes: u32, most: u32, overlap: f32): bool {
  const earlier = slot(SLOT_BEFORE);
  const first = chosen + <usize>earlier * 24;
  let count = slot(SLOT_CHOSEN);
  let size = slot(SLOT_HEAP);
  while (size > 0 && count < most) {
    const box = take(size--);
    unchecked += STEP * (40 - clz(size | 1));
    let keeps = true;
    let i: u32 = 0;
    compareWith(box);
    for (; keeps && i < count; i++) {
      if (overlaps(<u32>load<i64>(first + <usize>i * 24, 16), overlap)) keeps = false;
    }
    unchecked += i * COMPARISON;
    if (keeps) {
      const to = first + <usize>count * 24;
      store<i64>(to, group / classes);
      store<i64>(to, group % classes, 8);
      store<i64>(to, box, 16);
      count++;
    }
    if (unchecked > 1_000_000) {
      setSlot(SLOT_CHOSEN, count);
      if (looks(size, slot(SLOT_NEXT))) return false;
    }
  }
  setSlot(SLOT_BEFORE, earlier + count);
  setSlot(SLOT_CHOSEN, 0);
  setSlot(SLOT_HEAP, 0);
  setSlot(SLOT_NEXT, 0);
  return true;
}

/** Smaller and larger bound of a box along an axis: 0 for its first number, 1 for its second. */
@inline
function lower(box: u32, axis: usize): f32 {
  const at = boxes + (<usize>box << 4) + (axis << 2);
  const a = load<f32>(at);
  const b = load<f32>(at, 8);
  return nonMaxSuppressionCentred() ? a - b / 2 : min<f32>(a, b);
}

@inline
function upper(box: u32, axis: usize): f32 {
  const at = boxes + (<usize>box << 4) + (axis << 2);
  const a = load<f32>(at);
  const b = load<f32>(at, 8);
  return nonMaxSuppressionCentred() ? a + b / 2 : max<f32>(a, b);
}

/** The box that others are compared with: its bounds, and what it covers. */
let top: f32 = 0;
let left: f32 = 0;
let bottom: f32 = 0;
let right: f32 = 0;
let area: f32 = 0;

function compareWith(box: u32): void {
  top = lower(box, 0);
  left = lower(box, 1);
  bottom = upper(box, 0);
  right = upper(box, 1);
  area = (bottom - top) * (right - left);
}

/** Whether a box and that of {@link compareWith} have more than a part of what they cover together in common. */
function overlaps(other: u32, part: f32): bool {
  const x0 = lower(other, 0);
  const x1 = upper(other, 0);
  const height = min<f32>(bottom, x1) - max<f32>(top, x0);
  if (!(height > 0)) return false;
  const y0 = lower(other, 1);
  const y1 = upper(other, 1);
  const width = min<f32>(right, y1) - max<f32>(left, y0);
  if (!(width > 0)) return false;
  const common = height * width;
  const areaOfOther = (x1 - x0) * (y1 - y0);
  if (area <= 0 || areaOfOther <= 0) return false;
  return common / (area + areaOfOther - common) > part;
}
