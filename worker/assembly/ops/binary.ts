import { BinaryKind, CanisterError, DType } from '../generated/constants';
import { binaryRows } from '../kernels/binary';
import { compareRows, integerRows } from '../kernels/binary-scalar';
import { spent } from '../tensor/budget';
import { number, text } from '../tensor/errors';
import {
  attr, attrCount, failInput, failInputs, failNode, input, inputDies, nodeInputs, output, outputAlloc, progress,
  setProgress, setSlot, slot, takeOver,
} from '../tensor/node';
import { dtypeBytes } from '../tensor/tensor';
import { broadcastShape, outerCount, outerOffset, prepareWalk, walkDim, walkRank, walkStride } from './broadcast';
import { clamps, finish, needsFinish, readEpilogue } from './epilogue';
import { clampRows } from '../kernels/rows';
import { DONE, FAILED, YIELD } from './status';

/** Elements between two looks at the budget. */
const UNIT: u32 = 1 << 18;

/** Two inputs, broadcast as numpy does. Words: BinaryKind, epilogue. */
export function binary(): i32 {
  const kind = <u32>attr(0);
  if (progress == 0 && !begin(kind)) return FAILED;
  if (output(0).byteLength == 0) return DONE;
  prepareWalk(2);
  const status = walk(kind);
  if (status != DONE || attrCount < 6 || output(0).dtype != DType.float32) return status;
  readEpilogue(1);
  const out = output(0);
  const bytes = <usize>out.byteLength;
  if (clamps) {
    // As rows of one vector; the buffer is padded to whole vectors.
    clampRows(out.data, 16, 0, <u32>((bytes + 15) >> 4), 1, 16);
  } else if (needsFinish()) finish(out.data, out.byteLength >>> 2);
  return DONE;
}

function isComparison(kind: u32): bool {
  return kind >= BinaryKind.equal && kind <= BinaryKind.xor;
}

function begin(kind: u32): bool {
  if (nodeInputs != 2 || attrCount == 0) {
    failNode(CanisterError.badShard);
    text('two inputs expected');
    return false;
  }
  const a = input(0);
  const b = input(1);
  const type = a.dtype;
  if (type != b.dtype) {
    failInputs(0, 1, 'types must be equal');
    return false;
  }
  const known = type == DType.float32 || type == DType.int32 || type == DType.int64;
  if (!known && !(isComparison(kind) && type == DType.bool)) {
    failInput(0, 'float32, int32 or int64, or bool for comparisons');
    return false;
  }
  if (!broadcastShape(2)) return false;
  setProgress(1);
  if (isComparison(kind)) return outputAlloc(0, DType.bool, output(0).rank);
  if (inputDies(0) && a.sameShape(output(0))) takeOver(0, type, a.rank);
  else if (inputDies(1) && b.sameShape(output(0))) takeOver(1, type, b.rank);
  else return outputAlloc(0, type, output(0).rank);
  return true;
}

/** Address of input `i`, also after output 0 has taken over its buffer. */
@inline
function operand(i: u32): usize {
  const data = input(i).data;
  return data == 0 ? output(0).data : data;
}

/** Goes over the output in units of about UNIT elements. Slot 0: pairs of dimensions done, 1: rows. */
function walk(kind: u32): i32 {
  const bytes = dtypeBytes(input(0).dtype);
  const outBytes = dtypeBytes(output(0).dtype);
  const last = walkRank - 1;
  const n = walkDim(last);
  const aInner = walkStride(0, last) * bytes;
  const bInner = walkStride(1, last) * bytes;
  if (walkRank == 1) {
    for (let i = slot(1); i < n; i += UNIT) {
      const count = min(UNIT, n - i);
      const a = operand(0) + <usize>i * aInner;
      const b = operand(1) + <usize>i * bInner;
      if (!rows(kind, a, 0, aInner, b, 0, bInner, output(0).data + <usize>i * outBytes, 1, count)) return FAILED;
      if (spent(<u64>count * 8)) {
        setSlot(1, i + count);
        return YIELD;
      }
    }
    return DONE;
  }
  const height = walkDim(last - 1);
  const aRow = walkStride(0, last - 1) * bytes;
  const bRow = walkStride(1, last - 1) * bytes;
  const some = max(1, UNIT / max(n, 1));
  const outers = outerCount();
  for (let outer = slot(0); outer < outers; outer++) {
    const a = operand(0) + outerOffset(0, outer) * bytes;
    const b = operand(1) + outerOffset(1, outer) * bytes;
    const out = output(0).data + <usize>outer * height * n * outBytes;
    for (let r = slot(1); r < height; r += some) {
      const count = min(some, height - r);
      const from = <usize>r;
      if (!rows(kind, a + from * aRow, aRow, aInner, b + from * bRow, bRow, bInner, out + from * n * outBytes, count, n)) {
        return FAILED;
      }
      if (spent(<u64>count * (n * 8 + 30))) {
        setSlot(0, outer);
        setSlot(1, r + count);
        return YIELD;
      }
    }
    setSlot(1, 0);
  }
  return DONE;
}

function rows(
  kind: u32, a: usize, aRow: usize, aInner: usize, b: usize, bRow: usize, bInner: usize,
  out: usize, count: u32, n: u32,
): bool {
  let known: bool;
  const type = input(0).dtype;
  if (isComparison(kind)) {
    if (type == DType.float32) known = compareRows<f32>(kind, a, aRow, aInner, b, bRow, bInner, out, count, n);
    else if (type == DType.int64) known = compareRows<i64>(kind, a, aRow, aInner, b, bRow, bInner, out, count, n);
    else if (type == DType.int32) known = compareRows<i32>(kind, a, aRow, aInner, b, bRow, bInner, out, count, n);
    else known = compareRows<u8>(kind, a, aRow, aInner, b, bRow, bInner, out, count, n);
  } else if (type == DType.float32) known = binaryRows(kind, a, aRow, aInner, b, bRow, bInner, out, count, n);
  else if (type == DType.int64) known = integerRows<i64>(kind, a, aRow, aInner, b, bRow, bInner, out, count, n);
  else known = integerRows<i32>(kind, a, aRow, aInner, b, bRow, bInner, out, count, n);
  if (!known) {
    failNode(CanisterError.unsupported);
    text('kind ');
    number(kind);
    text(' of Binary for this type');
  }
  return known;
}
