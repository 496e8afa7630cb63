import { CanisterError, DType } from '../generated/constants';
import { dequantizeFrom, quantizeTo } from '../kernels/quantize';
import { text } from '../tensor/errors';
import { failInput, failNode, hasInput, input, output, setSlot, slot, temporary } from '../tensor/node';
import { dtypeBytes, Tensor } from '../tensor/tensor';
import { resolveAxis } from './axes';
import { yieldsAt } from './blocks';
import { DONE, FAILED, YIELD } from './status';

/**
 * How elements share scales. They are gone through in lines of so many elements, and those in runs of `width`
 * neighbours, which have one scale, or, where it `varies`, one each.
 */
let line: u32 = 0;
let width: u32 = 0;
let varies: bool = false;
let size: u32 = 0;
let inner: u32 = 0;
let block: u32 = 0;
let blocks: u32 = 0;
let single: bool = false;

const SLOT_RUN: u32 = 0;
const SLOT_PLACE: u32 = 1;
const TEMPORARY_ZEROS: u32 = 0;
/** Elements of a run that are worked on at once, about what one takes, and a run beside them. */
const PART: u32 = 1 << 18;
const COST: u64 = 6;
const RUN: u64 = 80;

/** A zero point by its type. */
export function integerAt(data: usize, dtype: u32, i: u32): i32 {
  if (dtype == DType.int8) return load<i8>(data + i);
  if (dtype == DType.uint8) return load<u8>(data + i);
  if (dtype == DType.int16) return load<i16>(data + (<usize>i << 1));
  if (dtype == DType.uint16) return load<u16>(data + (<usize>i << 1));
  return load<i32>(data + (<usize>i << 2));
}

/** Checks scales (input 1) and zero points (input 2) against those that the attributes say of X (input 0). */
export function readScales(axis: i32, ofBlock: u32, dtype: u32): bool {
  const x = input(0);
  const scale = input(1);
  if (!hasInput(1) || scale.dtype != DType.float32) {
    failInput(1, 'float32');
    return false;
  }
  if (hasInput(2) && (input(2).dtype != dtype || input(2).count() != scale.count())) {
    failInput(2, 'of the type of the integers, one for each scale');
    return false;
  }
  size = 1;
  inner = x.count();
  block = ofBlock;
  single = scale.count() == 1 && block == 0;
  if (!single) {
    const at = resolveAxis(axis, x.rank);
    if (at < 0) {
      failInput(0, 'of a rank with the axis of the node');
      return false;
    }
    size = x.dim(at);
    inner = x.product(at + 1, x.rank);
    blocks = block == 0 ? size : size / block + <u32>(size % block != 0);
    if (!fits(x, scale, at)) {
      failInput(1, 'one number, one for each place of the axis, or one for each block');
      return false;
    }
  }
  const isLast = !single && inner == 1;
  line = isLast ? size : inner;
  width = isLast && block != 0 ? min(block, size) : line;
  varies = !single && (block == 0) == (inner == 1);
  return true;
}

function fits(x: Tensor, scale: Tensor, axis: u32): bool {
  if (block == 0) return scale.count() == size;
  if (scale.rank != x.rank) return false;
  for (let i: u32 = 0; i < x.rank; i++) if (scale.dim(i) != (i == axis ? blocks : x.dim(i))) return false;
  return true;
}

/** Makes the zero points 32 bits wide. False where there is no room. */
export function widenZeros(): bool {
  const count = input(1).count();
  const zeros = temporary(TEMPORARY_ZEROS, <usize>max<u32>(count, 1) << 2);
  if (zeros == 0) return false;
  for (let i: u32 = 0; i < count; i++) {
    store<i32>(zeros + (<usize>i << 2), hasInput(2) ? integerAt(input(2).data, input(2).dtype, i) : 0);
  }
  return true;
}

/** Goes over all elements, run by run, from or to integers of a type. It returns what an operator does. */
export function overRuns(type: u32, isTo: bool): i32 {
  const zeros = temporary(TEMPORARY_ZEROS, 4);
  const bytes = dtypeBytes(type);
  const from = isTo ? 4 : bytes;
  const to = isTo ? bytes : 4;
  const scales = input(1).data;
  const x = input(0).data;
  const dst = output(0).data;
  const count = input(0).count();
  if (count == 0) return DONE;
  const perLine = (line - 1) / width + 1;
  const runs = count / line * perLine;
  let unchecked: u64 = 0;
  for (let r = slot(SLOT_RUN); r < runs; r++) {
    const l = r / perLine;
    const start = (r % perLine) * width;
    const n = min(width, line - start);
    const at = <usize>scaleOf(l, r % perLine) << 2;
    for (let i = slot(SLOT_PLACE); i < n; ) {
      const some = min(PART, n - i);
      const place = <usize>(l * line + start + i);
      const own = at + (varies ? <usize>i << 2 : 0);
      const read = x + place * from;
      const written = dst + place * to;
      const known = isTo
        ? quantizeTo(type, varies, read, written, some, scales + own, zeros + own)
        : dequantizeFrom(type, varies, read, written, some, scales + own, zeros + own);
      if (!known) {
        failNode(CanisterError.badShard);
        text('integers of 8 or 16 bits expected');
        return FAILED;
      }
      i += some;
      unchecked += some * COST + RUN;
      if (unchecked > 1_000_000 && (i < n || r + 1 < runs)) {
        setSlot(SLOT_RUN, i < n ? r : r + 1);
        if (yieldsAt(SLOT_PLACE, i < n ? i : 0, unchecked)) return YIELD;
        unchecked = 0;
      }
    }
    setSlot(SLOT_PLACE, 0);
  }
  return DONE;
}

/** Index of the first scale of run `k` of line `l`. */
function scaleOf(l: u32, k: u32): u32 {
  if (single) return 0;
  if (block == 0) return varies ? 0 : l % size;
  if (inner == 1) return l * blocks + k;
  return (l / size * blocks + (l % size) / block) * inner;
}
