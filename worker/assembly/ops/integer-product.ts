import { CanisterError, DType, int8DepthUnit, integerChannels, integerPiece } from '../generated/constants';
import { int8Rows, int8RowsOf } from '../kernels/generated/int8-rows';
import { copyBytes } from '../kernels/copy';
import { storeBytes, storeFloats, storeSums } from '../kernels/integer-results';
import { packFour } from '../kernels/integer-rows';
import { spent } from '../tensor/budget';
import { number, text } from '../tensor/errors';
import { failInput, failNode, hasInput, input, setSlot, slot, temporary } from '../tensor/node';
import { integerAt } from './scales';
import { packedChannels } from './weights';

/** Places of the inputs behind the two that are multiplied. */
const LEFT_ZERO: u32 = 2;
const RIGHT_ZERO: u32 = 3;
const BIAS: u32 = 4;
const FACTOR: u32 = 5;
const RESULT_ZERO: u32 = 6;
const OFFSET: u32 = 7;
const SCALE: u32 = 8;

const TEMPORARY_ROWS: u32 = 0;
const TEMPORARY_COLUMNS: u32 = 1;
const TEMPORARY_PACKED: u32 = 2;
/** Slots 0 to 7 are the operator's. */
const SLOT_CHANNEL: u32 = 8;
const SLOT_DEPTH: u32 = 9;
const SLOT_PACKED: u32 = 10;

/** Bytes before the rows, for the sum of each. */
const SUMS: usize = 64;
/** About what an element takes that is packed while the node runs. */
const COST_PACK: u64 = 14;

let to: u32 = 0;
/** Zero points, what is added, factors and offsets of the columns: four arrays of words. */
let columns: usize = 0;
let columnBytes: usize = 0;
let padded: u32 = 0;
let most: u32 = 0;
let rowBytes: usize = 0;
let rowsAt: usize = 0;
let sumsAt: usize = 0;
/** Whether any weight's zero point is not 0, so that sums of rows are needed. */
let hasZeros: bool = false;
/** The zero point of the result. */
let resultZero: i32 = 0;

/** Whether a tensor holds bytes that are multiplied. */
export function isBytes(dtype: u32): bool {
  return dtype == DType.int8 || dtype == DType.uint8;
}

/** The depth as kernels take it. */
export function paddedDepth(depth: u32): u32 {
  return (depth + int8DepthUnit - 1) & ~(int8DepthUnit - 1);
}

/** Bytes of packed weights [depth, n]. */
export function packedBytes(depth: u32, n: u32): u64 {
  return <u64>paddedDepth(depth) * packedChannels(n);
}

/** The zero point of the left side. */
export function leftZero(): i32 {
  return hasInput(LEFT_ZERO) ? integerAt(input(LEFT_ZERO).data, input(LEFT_ZERO).dtype, 0) : 0;
}

/** Checks all inputs but the two that are multiplied, for `n` columns and results of type `type`. */
export function checkParameters(type: u32, n: u32): bool {
  if (type != DType.int32 && type != DType.float32 && !isBytes(type)) {
    failNode(CanisterError.badShard);
    text('results of int32, float32, int8 or uint8 expected');
    return false;
  }
  if (!isOne(LEFT_ZERO, input(0).dtype, 1) || !isOne(RESULT_ZERO, type, 1)) return false;
  if (!isOne(RIGHT_ZERO, 0, n) || !isOne(BIAS, DType.int32, n)) return false;
  if (hasInput(RIGHT_ZERO) && !isBytes(input(RIGHT_ZERO).dtype)) {
    failInput(RIGHT_ZERO, 'int8 or uint8');
    return false;
  }
  if (type == DType.int32) return true;
  if (!hasInput(FACTOR)) {
    failInput(FACTOR, 'float32');
    return false;
  }
  return isOne(FACTOR, DType.float32, n) && isOne(OFFSET, DType.float32, n) && isOne(SCALE, DType.float32, 1);
}

/** Whether an input is left out, or of this type (0: any), one number or `n`. */
function isOne(i: u32, dtype: u32, n: u32): bool {
  if (!hasInput(i)) return true;
  const count = input(i).count();
  if ((dtype == 0 || input(i).dtype == dtype) && (count == 1 || count == n)) return true;
  failNode(CanisterError.badInput);
  text('input ');
  number(i);
  text(' must hold one number, or one for each column');
  return false;
}

/**
 * Makes room for rows of `depth` numbers, at most `rows` at once, and lays out the parameters of `n` columns in
 * `groups`. False where there is no room. Call it at each call of the operator.
 *
 * @param shift what weights are stored less by
 */
export function prepareProduct(
  type: u32, rows: u32, depth: u32, n: u32, groups: u32, shift: i32, first: bool,
): bool {
  to = type;
  padded = paddedDepth(depth);
  most = int8RowsOf(max<u32>(rows, 1));
  rowBytes = <usize>padded << 1;
  const perGroup = n / groups;
  const sums = (<usize>most * min(packedChannels(perGroup), integerChannels)) << 2;
  rowsAt = temporary(TEMPORARY_ROWS, SUMS + most * rowBytes + sums);
  columnBytes = (<usize>packedChannels(perGroup) * groups) << 2;
  columns = temporary(TEMPORARY_COLUMNS, max<usize>(columnBytes, 4) * 4);
  if (rowsAt == 0 || columns == 0) return false;
  sumsAt = rowsAt + SUMS + most * rowBytes;
  resultZero = isBytes(type) && hasInput(RESULT_ZERO) ? integerAt(input(RESULT_ZERO).data, type, 0) : 0;
  if (first) layOut(n, perGroup, shift);
  hasZeros = anyZero();
  return true;
}

/** Parameters of all columns, those of each group filled up to whole vectors. */
function layOut(n: u32, perGroup: u32, shift: i32): void {
  memory.fill(columns, 0, columnBytes * 4);
  const hasZero = hasInput(RIGHT_ZERO);
  const zeros = hasZero ? input(RIGHT_ZERO).data : 0;
  const zeroType = hasZero ? input(RIGHT_ZERO).dtype : 0;
  const single = !hasZero || input(RIGHT_ZERO).count() == 1;
  const all = single ? (hasZero ? integerAt(zeros, zeroType, 0) : 0) - shift : 0;
  // They are 0 already.
  if (!single || all != 0) for (let c: u32 = 0, group = columns; c < n; group += <usize>packedChannels(perGroup) << 2) {
    for (let j: u32 = 0; j < perGroup; j++, c++) {
      store<i32>(group + (<usize>j << 2), single ? all : integerAt(zeros, zeroType, c) - shift);
    }
  }
  layWords(BIAS, n, perGroup, columns + columnBytes);
  layWords(FACTOR, n, perGroup, columns + columnBytes * 2);
  if (hasInput(FACTOR) && hasInput(SCALE)) scaleFactors(load<f32>(input(SCALE).data), columns + columnBytes * 2);
  layWords(OFFSET, n, perGroup, columns + columnBytes * 3);
}

function scaleFactors(by: f32, at: usize): void {
  for (const end = at + columnBytes; at < end; at += 16) v128.store(at, f32x4.mul(v128.load(at), f32x4.splat(by)));
}

/** One word for each column of input `i`, which may be left out. */
function layWords(i: u32, n: u32, perGroup: u32, to: usize): void {
  if (!hasInput(i)) return;
  let from = input(i).data;
  const step: usize = input(i).count() == 1 ? 0 : 4;
  const groupStep = <usize>packedChannels(perGroup) << 2;
  if (step != 0 && perGroup == n) {
    copyBytes(to, from, <usize>n << 2);
    return;
  }
  for (let left = n; left != 0; left -= perGroup, to += groupStep) {
    for (let j: u32 = 0; j < perGroup; j++, from += step) store<u32>(to + (<usize>j << 2), load<u32>(from));
  }
}

function anyZero(): bool {
  let any = i32x4.splat(0);
  for (let at: usize = 0; at < columnBytes; at += 16) any = v128.or(any, v128.load(columns + at));
  return v128.any_true(any);
}

/** Subtracts nothing from sums: the operator takes zero points from the weights itself. */
export function dropZeros(): void {
  memory.fill(columns, 0, columnBytes);
  hasZeros = false;
}

/** The zero point of weights of a column, less what they are stored less by. */
@inline
export function weightZero(column: u32): i32 {
  return load<i32>(columns + (<usize>column << 2));
}

/** Room for sums of a row, of at most {@link integerChannels} columns. */
@inline
export function rowSums(): usize {
  return sumsAt;
}

/** Whether {@link setRowSum} is to be told the sum of each row. */
@inline
export function needsRowSums(): bool {
  return hasZeros;
}

/** Rows that are multiplied at once, of so many that are left. */
export function rowsOf(left: u32): u32 {
  return int8RowsOf(left);
}

/** Where row `r` of those at once lies, and its sum is kept. */
@inline
export function rowAt(r: u32): usize {
  return rowsAt + SUMS + r * rowBytes;
}
@inline
export function setRowSum(r: u32, sum: i32): void {
  store<i32>(rowsAt + (<usize>r << 2), sum);
}

/** Bytes of a result. */
@inline
export function resultBytes(): usize {
  return isBytes(to) ? 1 : 4;
}

/** Whether rows are under way: they lie where {@link rowAt} says. */
@inline
export function isUnderWay(): bool {
  return slot(SLOT_CHANNEL) != 0 || slot(SLOT_DEPTH) != 0;
}

/**
 * Multiplies `count` rows by packed weights [depth, n]; row r of the results is at `out + r * outStep`. False
 * where it yields. `column` is the first of group's columns, counted with those that fill up groups.
 */
export function multiplyRows(count: u32, n: u32, w: usize, column: u32, out: usize, outStep: usize): bool {
  const vectors = packedChannels(n) >>> 2;
  const pieceBytes = <usize>vectors * (integerPiece << 2);
  const step = <usize>count << 4;
  for (let channel = slot(SLOT_CHANNEL); channel < n; channel += integerChannels) {
    const channels = min(integerChannels, n - channel);
    const end = sumsAt + ((channels + 3) >>> 2) * step;
    for (let k = slot(SLOT_DEPTH); k < padded; ) {
      const some = min(integerPiece, padded - k);
      const piece = w + (k / integerPiece) * pieceBytes + <usize>(channel >>> 2) * (some << 2);
      int8Rows(count, k == 0, some, rowAt(0) + (<usize>k << 1), rowBytes, piece, some << 2, sumsAt, end);
      k += some;
      if (k < padded && spent(<u64>count * channels * some)) {
        setSlot(SLOT_CHANNEL, channel);
        setSlot(SLOT_DEPTH, k);
        return false;
      }
    }
    setSlot(SLOT_DEPTH, 0);
    finishRows(count, column + channel, channels, out + channel * resultBytes(), outStep);
    if (channel + integerChannels < n && spent(<u64>count * channels * 8)) {
      setSlot(SLOT_CHANNEL, channel + integerChannels);
      return false;
    }
  }
  setSlot(SLOT_CHANNEL, 0);
  return true;
}

/** Makes results of the sums of `count` rows. */
export function finishRows(count: u32, column: u32, n: u32, out: usize, outStep: usize): void {
  const zero = columns + (<usize>column << 2);
  const bias = zero + columnBytes;
  const factor = bias + columnBytes;
  const offset = factor + columnBytes;
  if (to == DType.int32) storeSums(hasZeros, sumsAt, count, rowsAt, zero, bias, n, out, outStep);
  else if (to == DType.float32) storeFloats(hasZeros, sumsAt, count, rowsAt, zero, bias, factor, offset, n, out, outStep);
  else storeBytes(to == DType.int8, hasZeros, sumsAt, count, rowsAt, zero, bias, factor, resultZero, n, out, outStep);
}

/** Room for weights [depth, n] of `groups` that are packed while the node runs; 0 where there is none. */
export function packedRoom(depth: u32, n: u32, groups: u32): usize {
  const bytes = packedBytes(depth, n) * groups;
  return temporary(TEMPORARY_PACKED, <usize>min<u64>(max<u64>(bytes, 64), u32.MAX_VALUE));
}

/**
 * Packs a matrix whose element (k, c) is at `src + k * kStep + c * cStep`. False where it yields; slot 10 is 0
 * before and after.
 */
export function packMatrix(
  src: usize, kStep: usize, cStep: usize, depth: u32, n: u32, flip: u32, dst: usize,
): bool {
  const vectors = packedChannels(n) >>> 2;
  const whole = paddedDepth(depth);
  const units = vectors * ((whole + integerPiece - 1) / integerPiece);
  for (let unit = slot(SLOT_PACKED); unit < units; unit++) {
    const first = unit / vectors * integerPiece;
    const channel = (unit % vectors) << 2;
    const some = min(integerPiece, whole - first);
    const at = dst + <usize>(unit / vectors) * vectors * (integerPiece << 2) + <usize>(unit % vectors) * (some << 2);
    packFour(src + <usize>channel * cStep, kStep, cStep, first, depth, min(4, n - channel), flip, at);
    if (unit + 1 < units && spent(COST_PACK * 4 * some)) {
      setSlot(SLOT_PACKED, unit + 1);
      return false;
    }
  }
  setSlot(SLOT_PACKED, 0);
  return true;
}
