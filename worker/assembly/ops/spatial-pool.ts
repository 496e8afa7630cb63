import { DType, PoolKind } from '../generated/constants';
import {
  failInput, input, nodeOutputs, output, outputAlloc, progress, setProgress, setSlot, slot,
} from '../tensor/node';
import { dtypeBytes, Tensor } from '../tensor/tensor';
import { yieldsAt } from './blocks';
import { spatialPoolCeilMode, spatialPoolColumnMajor, spatialPoolKind } from './generated/attributes';
import {
  countSpatial, dilationOf, firstBeyond, firstInside, fittingPositions, imageCount, imageLine, kernelCount, kernelOf,
  lineCount, padOf, positionsOf, readSpatial, setPositions, setSize, sizeOf, spatialRank, strideOf, tapsInside,
} from './spatial';
import { DONE, FAILED, YIELD } from './status';

/** Line under way, its tap, and the position at which a part of it begins. */
const SLOT_LINE: u32 = 0;
const SLOT_TAP: u32 = 1;
const SLOT_COLUMN: u32 = 2;
/** Word at which the window begins. */
const WINDOW: u32 = 3;
/** Positions worked on between two looks at the budget, and about what one takes, and what a tap takes. */
const PART: u32 = 1 << 16;
const COST: u64 = 14;
const TAP: u64 = 150;

/** X [n,c,sizes..] over windows of any number of dimensions; places of the largest. */
export function spatialPool(): i32 {
  const x = input(0);
  const kind = spatialPoolKind();
  const isFloat = x.dtype == DType.float32;
  const isOther = x.dtype == DType.float64 || x.dtype == DType.int8 || x.dtype == DType.uint8;
  if (x.rank < 3 || kind > PoolKind.sum || (!isFloat && !(isOther && kind == PoolKind.max))) {
    failInput(0, '[batch, channels, ...] of float32; for the largest also of float64, int8 or uint8');
    return FAILED;
  }
  if (!readSpatial(WINDOW, x.rank - 2)) return FAILED;
  for (let i: u32 = 0; i < spatialRank; i++) {
    setSize(i, x.dim(i + 2));
    setPositions(i, fittingPositions(i, spatialPoolCeilMode(), true));
  }
  if (!countSpatial() || lineCount == 0) {
    failInput(0, 'at least as large as the window, and small enough');
    return FAILED;
  }
  if (progress == 0 && !begin(x)) return FAILED;
  if (output(0).byteLength == 0) return DONE;
  if (kind != PoolKind.max) return sums(x, kind) ? DONE : YIELD;
  if (isFloat) return largest<f32>(x) ? DONE : YIELD;
  if (x.dtype == DType.float64) return largest<f64>(x) ? DONE : YIELD;
  if (x.dtype == DType.int8) return largest<i8>(x) ? DONE : YIELD;
  return largest<u8>(x) ? DONE : YIELD;
}

function begin(x: Tensor): bool {
  for (let i: u32 = 0; i < nodeOutputs; i++) {
    const out = output(i);
    if (i > 0 && changetype<usize>(out) == 0) continue;
    out.setDim(0, x.dim(0));
    out.setDim(1, x.dim(1));
    for (let k: u32 = 0; k < spatialRank; k++) out.setDim(k + 2, positionsOf(k));
    if (!outputAlloc(i, i == 0 ? x.dtype : <u32>DType.int64, x.rank)) return false;
  }
  setProgress(1);
  return true;
}

/** Where a tap of a line meets the image: its first position inside, the one behind, and its first index there. */
let first: u32 = 0;
let until: u32 = 0;
let index: u32 = 0;

/** False where the tap meets only padding on the positions [from, to) of the line. */
function meets(tap: u32, line: u32, from: u32, to: u32): bool {
  const at = imageLine(tap, line);
  if (at < 0) return false;
  const last = spatialRank - 1;
  const k = <i32>(tap % kernelOf(last));
  first = max(from, <u32>firstInside(k));
  until = min(to, <u32>firstBeyond(k));
  if (first >= until) return false;
  index = at + first * strideOf(last) + k * dilationOf(last) - padOf(last);
  return true;
}

/**
 * First position of a line, of those that {@link meets} found, at which an earlier tap lies inside the image:
 * before it the tap is the first of its windows.
 */
function laterFrom(tap: u32, line: u32): u32 {
  const last = spatialRank - 1;
  const k = <i32>(tap % kernelOf(last));
  tap /= kernelOf(last);
  for (let i = <i32>last - 1; i >= 0; i--) {
    const before = <i32>(tap % kernelOf(i)) - 1;
    const at = <i64>(line % positionsOf(i)) * strideOf(i) + <i64>before * dilationOf(i) - padOf(i);
    if (before >= 0 && at >= 0) return first;
    tap /= kernelOf(i);
    line /= positionsOf(i);
  }
  return k == 0 ? until : max(first, min(until, <u32>firstInside(k - 1)));
}

/**
 * Whether a window's largest element begins as its first one, so that a NaN there stays; otherwise NaN never
 * is the largest. onnxruntime has both: the second for windows of f32 without gaps, where no places are asked for.
 */
function beginsWithFirst<T>(withPlaces: bool): bool {
  if (withPlaces || sizeof<T>() != 4) return true;
  for (let i: u32 = 0; i < spatialRank; i++) if (dilationOf(i) != 1) return true;
  return false;
}

/** The least number of a type, as what has no largest element gives it. */
@inline
function least<T>(): T {
  if (isFloat<T>()) return <T>(sizeof<T>() == 4 ? -f32.MAX_VALUE : -f64.MAX_VALUE);
  return isSigned<T>() ? <T>(-128) : <T>0;
}

/** False where it yields. */
function largest<T>(x: Tensor): bool {
  const out = output(0);
  const width = <u32>positionsOf(spatialRank - 1);
  const lines = out.byteLength / sizeof<T>() / width;
  const step = <usize>strideOf(spatialRank - 1) * sizeof<T>();
  const withPlaces = nodeOutputs > 1 && changetype<usize>(output(1)) != 0;
  const places = withPlaces ? output(1).data : 0;
  const withFirst = beginsWithFirst<T>(withPlaces);
  let unchecked: u64 = 0;
  let column = slot(SLOT_COLUMN);
  let tap = slot(SLOT_TAP);
  for (let l = slot(SLOT_LINE); l < lines; l++, column = 0) {
    const image = x.data + <usize>(l / lineCount) * imageCount * sizeof<T>();
    const to = out.data + <usize>l * width * sizeof<T>();
    const placesTo = places + (<usize>l * width << 3);
    while (column < width) {
      const end = column + min(PART, width - column);
      if (tap == 0) {
        for (let p = column; p < end; p++) {
          store<T>(to + <usize>p * sizeof<T>(), least<T>());
          if (withPlaces) store<i64>(placesTo + (<usize>p << 3), 0);
        }
      }
      while (tap < kernelCount) {
        if (meets(tap, l % lineCount, column, end)) {
          let from = image + <usize>index * sizeof<T>();
          let at = to + <usize>first * sizeof<T>();
          const later = withFirst ? laterFrom(tap, l % lineCount) : first;
          if (!withPlaces) {
            let p = first;
            for (; p < later; p++, at += sizeof<T>(), from += step) store<T>(at, load<T>(from));
            for (; p < until; p++, at += sizeof<T>(), from += step) {
              const value = load<T>(from);
              if (value > load<T>(at)) store<T>(at, value);
            }
          } else {
            const base = l / lineCount;
            for (let p = first, i = index; p < until; p++, i += strideOf(spatialRank - 1), at += sizeof<T>(), from += step) {
              const value = load<T>(from);
              if (p >= later && !(value > load<T>(at))) continue;
              store<T>(at, value);
              store<i64>(placesTo + (<usize>p << 3), <i64>base * imageCount + place(i));
            }
          }
          unchecked += <u64>(until - first) * COST * (withPlaces ? 5 : 1);
        }
        tap++;
        unchecked += TAP;
        if (unchecked > 1_000_000) {
          if (yieldsAt(SLOT_TAP, tap, unchecked)) {
            setSlot(SLOT_LINE, l);
            setSlot(SLOT_COLUMN, column);
            return false;
          }
          unchecked = 0;
        }
      }
      tap = 0;
      column = end;
    }
  }
  return true;
}

/** Place of the element at an index of an image. */
function place(index: u32): u32 {
  if (!spatialPoolColumnMajor()) return index;
  let result: u32 = 0;
  // The last dimension is the slowest: digits of the index from the back to the front.
  let rest = index;
  let below = imageCount;
  for (let i = <i32>spatialRank - 1; i >= 0; i--) {
    const size = <u32>sizeOf(i);
    below /= size;
    result += (rest % size) * below;
    rest /= size;
  }
  return result;
}

/** Sums of windows, or means. False where it yields. */
function sums(x: Tensor, kind: u32): bool {
  const out = output(0);
  const last = spatialRank - 1;
  const width = <u32>positionsOf(last);
  const lines = (out.byteLength >>> 2) / width;
  const step = <usize>strideOf(last) << 2;
  let unchecked: u64 = 0;
  let column = slot(SLOT_COLUMN);
  let tap = slot(SLOT_TAP);
  for (let l = slot(SLOT_LINE); l < lines; l++, column = 0) {
    const image = x.data + (<usize>(l / lineCount) * imageCount << 2);
    const to = out.data + (<usize>l * width << 2);
    while (column < width) {
      const end = column + min(PART, width - column);
      if (tap == 0) memory.fill(to + (<usize>column << 2), 0, <usize>(end - column) << 2);
      while (tap < kernelCount) {
        if (meets(tap, l % lineCount, column, end)) {
          let from = image + (<usize>index << 2);
          let at = to + (<usize>first << 2);
          for (let p = first; p < until; p++, at += 4, from += step) {
            store<f32>(at, load<f32>(at) + load<f32>(from));
          }
          unchecked += <u64>(until - first) * COST;
        }
        tap++;
        unchecked += TAP;
        if (tap < kernelCount && unchecked > 1_000_000) {
          if (yieldsAt(SLOT_TAP, tap, unchecked)) {
            setSlot(SLOT_LINE, l);
            setSlot(SLOT_COLUMN, column);
            return false;
          }
          unchecked = 0;
        }
      }
      if (kind != PoolKind.sum) means(to, l % lineCount, column, end, kind == PoolKind.meanWithPads);
      unchecked += <u64>(end - column) * 40;
      tap = 0;
      column = end;
      if (unchecked > 1_000_000) {
        setSlot(SLOT_TAP, 0);
        if (yieldsAt(SLOT_COLUMN, column, unchecked)) {
          setSlot(SLOT_LINE, l);
          return false;
        }
        unchecked = 0;
      }
    }
  }
  return true;
}

/** Divides the sums at positions [from, to) of a line by the elements they are of. */
function means(at: usize, line: u32, from: u32, to: u32, withPads: bool): void {
  const last = spatialRank - 1;
  let outer: u32 = 1;
  for (let i = <i32>last - 1; i >= 0; i--) {
    outer *= tapsInside(i, line % positionsOf(i), withPads);
    line /= positionsOf(i);
  }
  for (let p = from; p < to; p++) {
    const count = outer * tapsInside(last, p, withPads);
    const address = at + (<usize>p << 2);
    store<f32>(address, count == 0 ? 0 : load<f32>(address) / <f32>count);
  }
}
