import { DType, ResizeCoordinates, ResizeMode, ResizePolicy } from '../generated/constants';
import { copyBytes } from '../kernels/copy';
import { resampleRows } from '../kernels/resample';
import {
  failInput, hasInput, input, output, outputAlloc, progress, setProgress, setSlot, slot, temporary,
} from '../tensor/node';
import { dtypeBytes, Tensor } from '../tensor/tensor';
import { indexAt, isIndexes, resolveAxis } from './axes';
import { copyRows, yieldsAt } from './blocks';
import {
  resizeAntialias, resizeAxes, resizeAxesCount, resizeCoordinates, resizeExtrapolation, resizeMode, resizePolicy,
} from './generated/attributes';
import { entryBytes, fillEntry, setAxis, tapsOfEntry } from './resize-table';
import { DONE, FAILED, YIELD } from './status';

/** Pass under way, entries of its table that are there, and the next row of its result. */
const SLOT_PASS: u32 = 2;
const SLOT_ENTRY: u32 = 3;
const SLOT_ROW: u32 = 4;
const SLOT_COLUMN: u32 = 5;
/** Elements of a row worked on between two looks at the budget. */
const PART: u32 = 1 << 16;
/** Temporaries: the table of a pass, and what passes leave, in turns. */
const TABLE: u32 = 0;
const LEFT: u32 = 1;
const MOST_AXES: u32 = 8;

/** Of each axis of X: size of the result, scale, and its place among the node's axes or -1. */
const scales: usize = memory.data(32);
const places: usize = memory.data(32);

@inline
function scaleOf(axis: u32): f32 {
  return load<f32>(scales + (<usize>axis << 2));
}

@inline
function placeOf(axis: u32): i32 {
  return load<i32>(places + (<usize>axis << 2));
}

/** X, region?, scales?, sizes?: X in another size. Axis by axis, the last first. */
export function resize(): i32 {
  const x = input(0);
  if (resizeMode() != ResizeMode.nearest && x.dtype != DType.float32) {
    failInput(0, 'float32');
    return FAILED;
  }
  if (!readAxes(x)) return FAILED;
  const out = output(0);
  if (progress == 0) {
    if (!outputAlloc(0, x.dtype, x.rank)) return FAILED;
    setProgress(1);
  }
  if (out.byteLength == 0) return DONE;
  let passes: u32 = 0;
  for (let i: u32 = 0; i < x.rank; i++) if (isResized(x, i)) passes++;
  if (passes == 0 || out.sameShape(x)) {
    return copyRows(out.data, 0, x.data, 0, 1, out.byteLength) ? DONE : YIELD;
  }
  let pass: u32 = 0;
  let from = x.data;
  for (let axis = <i32>x.rank - 1; axis >= 0; axis--) {
    if (!isResized(x, axis)) continue;
    const isLast = pass + 1 == passes;
    const to = isLast ? out.data : temporary(LEFT + (pass & 1), largestLeft(x, pass & 1, passes));
    if (to == 0) return FAILED;
    if (pass >= slot(SLOT_PASS)) {
      const status = along(x, axis, from, to);
      if (status != DONE) return status;
      setSlot(SLOT_PASS, pass + 1);
      setSlot(SLOT_ENTRY, 0);
      setSlot(SLOT_ROW, 0);
      setSlot(SLOT_COLUMN, 0);
    }
    from = to;
    pass++;
  }
  return DONE;
}

/** Whether an axis changes. */
function isResized(x: Tensor, axis: u32): bool {
  if (placeOf(axis) < 0 || scaleOf(axis) == 1) return false;
  return !resizeAntialias() || output(0).dim(axis) != x.dim(axis);
}

/** Bytes of the largest result that every second pass leaves, from pass `first` on; the last leaves none. */
function largestLeft(x: Tensor, first: u32, passes: u32): usize {
  let most: u64 = 0;
  let pass: u32 = 0;
  let bytes: u64 = x.byteLength;
  for (let axis = <i32>x.rank - 1; axis >= 0; axis--) {
    if (!isResized(x, axis)) continue;
    bytes = (bytes / x.dim(axis)) * output(0).dim(axis);
    if (pass + 1 < passes && (pass & 1) == first) most = max(most, bytes);
    pass++;
  }
  return <usize>min<u64>(most, u32.MAX_VALUE);
}

/** Resizes [outer, size, inner] along its middle axis. */
function along(x: Tensor, axis: u32, from: usize, to: usize): i32 {
  const out = output(0);
  const size = x.dim(axis);
  const wanted = out.dim(axis);
  const outer = x.product(0, axis);
  const inner = out.product(axis + 1, x.rank);
  const table = temporary(TABLE, largestTable(x));
  if (table == 0) return FAILED;
  setAxis(size, wanted, scaleOf(axis), placeOf(axis), resizeAxesCount());
  const stride = entryBytes();
  const each = tapsOfEntry() * 60 + 100;
  let unchecked: u64 = 0;
  for (let i = slot(SLOT_ENTRY); i < wanted; ) {
    fillEntry(table + <usize>i * stride, i);
    i++;
    unchecked += each;
    if (unchecked > 1_000_000 || i == wanted) {
      setSlot(SLOT_ENTRY, i);
      if (yieldsAt(SLOT_ENTRY, i, unchecked)) return YIELD;
      unchecked = 0;
    }
  }
  const element = dtypeBytes(x.dtype);
  const rowBytes = <usize>inner * element;
  const rows = outer * wanted;
  const isNearest = resizeMode() == ResizeMode.nearest;
  const width = min(inner, PART);
  const cost = isNearest ? <u64>width * element / 4 + 40 : <u64>width * (tapsOfEntry() * 3 + 3) + 60;
  unchecked = 0;
  let column = slot(SLOT_COLUMN);
  for (let row = slot(SLOT_ROW); row < rows; ) {
    const o = row / wanted;
    const first = row - o * wanted;
    const some = width < inner ? 1 : min(wanted - first, <u32>max<u64>(1, 1_000_000 / cost));
    const count = min(width, inner - column);
    const offset = <usize>column * element;
    const source = from + <usize>o * size * rowBytes + offset;
    const target = to + <usize>row * rowBytes + offset;
    const entries = table + <usize>first * stride;
    if (isNearest) nearestRows(target, source, entries, some, rowBytes, <usize>count * element, element);
    else resampleRows(target, source, entries, stride, some, rowBytes, count);
    column += count;
    if (column == inner) {
      column = 0;
      row += some;
    }
    unchecked += cost * some;
    if (unchecked > 1_000_000 && row < rows) {
      setSlot(SLOT_COLUMN, column);
      if (yieldsAt(SLOT_ROW, row, unchecked)) return YIELD;
      unchecked = 0;
    }
  }
  return DONE;
}

/** Bytes of the largest table of all passes. */
function largestTable(x: Tensor): usize {
  let most: u64 = 0;
  for (let axis: u32 = 0; axis < x.rank; axis++) {
    if (!isResized(x, axis)) continue;
    setAxis(x.dim(axis), output(0).dim(axis), scaleOf(axis), placeOf(axis), resizeAxesCount());
    most = max(most, <u64>entryBytes() * output(0).dim(axis));
  }
  return <usize>min<u64>(most, u32.MAX_VALUE);
}

/** `bytes` bytes of rows, each of the place that its entry names, or filled where that is none. */
function nearestRows(
  to: usize, from: usize, table: usize, count: u32, step: usize, bytes: usize, element: u32,
): void {
  for (; count != 0; count--, to += step, table += 4) {
    const place = load<i32>(table);
    if (place < 0) extrapolate(to, bytes, element);
    else if (bytes == 4) store<u32>(to, load<u32>(from + <usize>place * step));
    else copyBytes(to, from + <usize>place * step, bytes);
  }
}

function extrapolate(to: usize, bytes: usize, element: u32): void {
  const value = resizeExtrapolation();
  const type = input(0).dtype;
  for (const end = to + bytes; to < end; to += element) {
    if (type == DType.float32) store<f32>(to, value);
    else if (type == DType.float64) store<f64>(to, value);
    else if (type == DType.int32) store<i32>(to, <i32>value);
    else if (type == DType.int64) store<i64>(to, <i64>value);
    else if (type == DType.int8) store<i8>(to, <i8>(<i32>value));
    else if (type == DType.uint8) store<u8>(to, <u8>(<i32>value));
    else memory.fill(to, 0, element);
  }
}

/** Reads axes, scales and sizes; sets the sizes of the output. False, with the failure's text. */
function readAxes(x: Tensor): bool {
  const count = resizeAxesCount();
  if (x.rank > MOST_AXES || count > x.rank) {
    failInput(0, 'of a shape that has the axes of the node');
    return false;
  }
  for (let i: u32 = 0; i < x.rank; i++) {
    store<i32>(places + (<usize>i << 2), -1);
    store<f32>(scales + (<usize>i << 2), 1);
    output(0).setDim(i, x.dim(i));
  }
  const crops = resizeCoordinates() == ResizeCoordinates.tf_crop_and_resize;
  const region = hasInput(1) && input(1).count() != 0;
  const isRegion = region && input(1).dtype == DType.float32 && input(1).count() == 2 * count;
  if (crops && !isRegion) {
    failInput(1, 'float32, where the region begins along each axis, then where it ends');
    return false;
  }
  const bySize = hasInput(3) && input(3).count() != 0;
  if (bySize ? !isIndexes(input(3)) || input(3).count() != count : !hasInput(2) || !isScales(input(2), count)) {
    failInput(bySize ? 3 : 2, 'a number above 0 for each axis of the node');
    return false;
  }
  let least: f32 = f32.MAX_VALUE;
  let most: f32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const axis = resolveAxis(resizeAxes(i), x.rank);
    if (axis < 0 || placeOf(axis) >= 0) {
      failInput(0, 'of a shape that has each axis of the node once');
      return false;
    }
    store<i32>(places + (<usize>axis << 2), i);
    const own = x.dim(axis);
    let size: i64 = 0;
    let scale: f32 = 1;
    if (bySize) {
      size = indexAt(input(3), i);
      if (own != 0) scale = <f32>size / <f32>own;
      least = min(least, scale);
      most = max(most, scale);
    } else {
      scale = load<f32>(input(2).data + (<usize>i << 2));
      size = <i64>min<f32>(scale * <f32>own, 4294967040);
    }
    if (!setSize(axis, size, own)) return false;
    store<f32>(scales + (<usize>axis << 2), scale);
  }
  if (!bySize || resizePolicy() == ResizePolicy.stretch) return true;
  const scale = resizePolicy() == ResizePolicy.not_larger ? least : most;
  for (let i: u32 = 0; i < count; i++) {
    const axis = <u32>resolveAxis(resizeAxes(i), x.rank);
    const size = Mathf.floor(scale * <f32>x.dim(axis) + 0.5);
    if (!setSize(axis, <i64>min<f32>(size, 4294967040), x.dim(axis))) return false;
    store<f32>(scales + (<usize>axis << 2), scale);
  }
  return true;
}

function isScales(tensor: Tensor, count: u32): bool {
  if (tensor.dtype != DType.float32 || tensor.count() != count) return false;
  for (let i: u32 = 0; i < count; i++) {
    const scale = load<f32>(tensor.data + (<usize>i << 2));
    if (!(scale > 0) || scale == Infinity) return false;
  }
  return true;
}

function setSize(axis: u32, size: i64, own: u32): bool {
  if (size < 0 || size > i64(i32.MAX_VALUE) || (own == 0 && size != 0)) {
    failInput(0, 'of sizes that can be resized to those wanted');
    return false;
  }
  output(0).setDim(axis, <u32>size);
  return true;
}
