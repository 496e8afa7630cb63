import { BinaryKind, CanisterError, DType } from '../generated/constants';
import { binaryRows } from '../kernels/binary';
import { compareRows, integerRows } from '../kernels/binary-scalar';
import { clampRows } from '../kernels/rows';
import { number, text } from '../tensor/errors';
import {
  failInput, failInputs, failNode, input, inputDies, nodeInputs, output, outputAlloc, progress,
  setProgress, setSlot, slot, takeOver,
} from '../tensor/node';
import { dtypeBytes } from '../tensor/tensor';
import { yieldsAt } from './blocks';
import {
  broadcastShape, pieceOffset, pieceRows, pieceStart, pieceStep, pieceWidth, pieceYields, prepareWalk, takePiece,
  walkRank, walkStride,
} from './broadcast';
import { clamps, finished, readEpilogue } from './epilogue';
import { binaryEpilogueAt, binaryKind } from './generated/attributes';
import { DONE, FAILED, YIELD } from './status';

/** Progress of a node whose elements are there, but not their epilogue. */
const FINISHING: u32 = 2;
/** Vectors clamped between two looks at the budget. */
const UNIT: u32 = 1 << 17;

/** Two inputs, broadcast as numpy does. */
export function binary(): i32 {
  const kind = binaryKind();
  if (progress == 0 && !begin(kind)) return FAILED;
  if (output(0).byteLength == 0) return DONE;
  if (progress != FINISHING) {
    prepareWalk(2);
    const status = walk(kind);
    if (status != DONE || output(0).dtype != DType.float32) return status;
    setSlot(0, 0);
    setProgress(FINISHING);
  }
  readEpilogue(binaryEpilogueAt);
  const out = output(0);
  if (!clamps) return finished(out.data, out.byteLength >>> 2) ? DONE : YIELD;
  // As rows of one vector; the buffer is padded to whole vectors.
  const vectors = <u32>((<usize>out.byteLength + 15) >> 4);
  for (let i = slot(0); i < vectors; ) {
    const count = min(UNIT, vectors - i);
    clampRows(out.data + (<usize>i << 4), 16, 0, count, 1, 16);
    i += count;
    if (i < vectors && yieldsAt(0, i, count * 20)) return YIELD;
  }
  return DONE;
}

function isComparison(kind: u32): bool {
  return kind >= BinaryKind.equal && kind <= BinaryKind.xor;
}

function begin(kind: u32): bool {
  if (nodeInputs != 2) {
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

/** Goes over the output piece by piece. */
function walk(kind: u32): i32 {
  const out = output(0);
  const count = out.count();
  const bytes = dtypeBytes(input(0).dtype);
  const outBytes = dtypeBytes(out.dtype);
  const last = walkRank - 1;
  const aInner = walkStride(0, last) * bytes;
  const bInner = walkStride(1, last) * bytes;
  const cost = costOf(kind, input(0).dtype);
  while (takePiece(count, cost)) {
    const a = operand(0) + pieceOffset(0) * bytes;
    const b = operand(1) + pieceOffset(1) * bytes;
    const to = out.data + <usize>pieceStart * outBytes;
    const aRow = pieceStep(0) * bytes;
    const bRow = pieceStep(1) * bytes;
    if (!rows(kind, a, aRow, aInner, b, bRow, bInner, to, pieceRows, pieceWidth)) return FAILED;
    if (pieceYields(count, cost)) return YIELD;
  }
  return DONE;
}

/** About what an element takes. */
function costOf(kind: u32, type: u32): u64 {
  if (kind == BinaryKind.pow) return type == DType.float32 ? 250 : 800;
  return type == DType.float32 && !isComparison(kind) ? 8 : 40;
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
