import {
  CanisterError, DType, int4Block, int4BlockBytes, int8DepthUnit, integerChannels, integerPiece, integerSumDepth,
} from '../generated/constants';
import { int4Rows, int4RowsOf, int4Scale } from '../kernels/generated/int4-rows';
import { int8Rows, int8RowsOf, int8Scale } from '../kernels/generated/int8-rows';
import { quantizeRow } from '../kernels/quantize-row';
import { spent } from '../tensor/budget';
import { number, text } from '../tensor/errors';
import { failNode, hasInput, input, setSlot, slot, temporary } from '../tensor/node';
import { finished } from './epilogue';
import { DONE, FAILED, YIELD } from './status';
import { hasFloats, packedChannels } from './weights';

const SLOT_ROW: u32 = 0;
const SLOT_CHANNEL: u32 = 1;
const SLOT_DEPTH: u32 = 2;
/** Whether all channels of the rows under way are there. */
const SLOT_SUMMED: u32 = 3;

/** Bytes before the quantized rows, for what a unit of each stands for. */
const UNITS: usize = 64;

/** Whether weights of this type are packed integers: int8, or int4 with their scales as bytes. */
export function isInteger(dtype: u32): bool {
  return dtype == DType.int8 || dtype == DType.uint8;
}

@inline
function paddedDepth(depth: u32, isInt4: bool): u32 {
  const unit = isInt4 ? int4Block : int8DepthUnit;
  return (depth + unit - 1) & ~(unit - 1);
}

/** Bytes that four channels take for a padded depth. */
@inline
function weightBytes(depth: u32, isInt4: bool): usize {
  return isInt4 ? (depth / int4Block) * int4BlockBytes : depth << 2;
}

/** Largest absolute value of a quantized activation: no sum of its products can overflow. */
function activationRange(depth: u32, isInt4: bool): f32 {
  if (isInt4) return 32767;
  return <f32>min<u32>(32767, i32.MAX_VALUE / (128 * min(depth, integerSumDepth)));
}

/** Checks integer weights [depth, n] in input 1, their scales in input 3 and the bias in input 2. */
export function checkInteger(depth: u32, n: u32): bool {
  const isInt4 = input(1).dtype == DType.uint8;
  const expected = <u64>(packedChannels(n) >>> 2) * weightBytes(paddedDepth(depth, isInt4), isInt4);
  if (<u64>input(1).byteLength != expected) {
    failNode(CanisterError.badShard);
    text('weight 1 must hold ');
    number(expected);
    text(isInt4 ? ' bytes of int4 blocks' : ' int8 values');
    return false;
  }
  if (!isInt4 && !hasFloats(3, packedChannels(n))) return false;
  return !hasInput(2) || hasFloats(2, packedChannels(n));
}

/**
 * out [rows, n] = a [rows, depth] x integer weights + bias, then the node's epilogue. Each row is
 * quantized by itself, so its result does not depend on the others. Yields between pieces of the
 * depth; uses slots 0 to 3 and temporary 0. depth >= 1.
 */
export function multiplyInteger(a: usize, rows: u32, depth: u32, n: u32, bias: usize, out: usize): i32 {
  const w = input(1);
  const isInt4 = w.dtype == DType.uint8;
  const scales: usize = isInt4 ? 0 : input(3).data;
  const padded = paddedDepth(depth, isInt4);
  const range = activationRange(depth, isInt4);
  const xStep = <usize>padded << 1;
  const most = isInt4 ? int4RowsOf(rows) : int8RowsOf(rows);
  const x = temporary(0, UNITS + most * xStep + ((<usize>most * min(packedChannels(n), integerChannels)) << 2));
  if (x == 0) return FAILED;
  const sums = x + UNITS + most * xStep;
  for (let row = slot(SLOT_ROW); row < rows; ) {
    const count = isInt4 ? int4RowsOf(rows - row) : int8RowsOf(rows - row);
    const to = out + ((<usize>row * n) << 2);
    if (slot(SLOT_SUMMED) == 0) {
      if (slot(SLOT_CHANNEL) == 0 && slot(SLOT_DEPTH) == 0) {
        for (let r: u32 = 0; r < count; r++) {
          const unit = quantizeRow(
            a + ((<usize>(row + r) * depth) << 2), depth, x + UNITS + r * xStep, padded, range,
          );
          store<f32>(x + (<usize>r << 2), unit);
        }
      }
      if (!sumChannels(isInt4, count, padded, n, x, xStep, w.data, scales, bias, sums, to)) return YIELD;
      setSlot(SLOT_SUMMED, 1);
    }
    if (!finished(to, count * n, true)) return YIELD;
    setSlot(SLOT_SUMMED, 0);
    row += count;
    setSlot(SLOT_ROW, row);
    if (row < rows && spent(<u64>count * (n + depth) * 8)) return YIELD;
  }
  return DONE;
}

/** All channels of `count` quantized rows. False where it yields; slots 1 and 2 are 0 before and after. */
function sumChannels(
  isInt4: bool, count: u32, depth: u32, n: u32,
  x: usize, xStep: usize, w: usize, scales: usize, bias: usize, sums: usize, out: usize,
): bool {
  const vectors = packedChannels(n) >>> 2;
  const pieceBytes = vectors * weightBytes(integerPiece, isInt4);
  const sumDepth = isInt4 ? depth : integerSumDepth;
  const sumStep = <usize>count << 4;
  for (let channel = slot(SLOT_CHANNEL); channel < n; channel += integerChannels) {
    const channels = min(integerChannels, n - channel);
    const end = sums + ((channels + 3) >>> 2) * sumStep;
    for (let k = slot(SLOT_DEPTH); k < depth; k += integerPiece) {
      const some = min(integerPiece, depth - k);
      const step = weightBytes(some, isInt4);
      const piece = w + (k / integerPiece) * pieceBytes + (channel >>> 2) * step;
      const from = x + UNITS + (<usize>k << 1);
      if (isInt4) int4Rows(count, k == 0, some, from, xStep, piece, step, sums, end);
      else int8Rows(count, k % sumDepth == 0, some, from, xStep, piece, step, sums, end);
      const next = k + some;
      if (next == depth || next % sumDepth == 0) {
        for (let r: u32 = 0; r < count; r++) {
          const unit = load<f32>(x + (<usize>r << 2));
          const to = out + ((<usize>r * n + channel) << 2);
          const begin = next <= sumDepth ? bias + (<usize>channel << 2) : to;
          const from = sums + (<usize>r << 4);
          if (isInt4) int4Scale(count, from, unit, 0, begin, to, channels);
          else int8Scale(count, from, unit, scales + (<usize>channel << 2), begin, to, channels);
        }
      }
      if (next < depth && spent(<u64>count * channels * some)) {
        setSlot(SLOT_CHANNEL, channel);
        setSlot(SLOT_DEPTH, next);
        return false;
      }
    }
    setSlot(SLOT_DEPTH, 0);
    if (channel + integerChannels < n && spent(<u64>count * channels * 8)) {
      setSlot(SLOT_CHANNEL, channel + integerChannels);
      return false;
    }
  }
  setSlot(SLOT_CHANNEL, 0);
  return true;
}
