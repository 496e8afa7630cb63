import { DType, QuantizedBinaryKind } from '../generated/constants';
import { addQuantized, mulQuantized } from '../kernels/quantized-binary';
import { failInput, hasInput, input, output, outputAlloc, progress, setProgress } from '../tensor/node';
import {
  broadcastShape, pieceOffset, pieceRows, pieceStart, pieceStep, pieceWidth, pieceYields, prepareWalk, takePiece,
  walkRank, walkStride,
} from './broadcast';
import { quantizedBinaryKind } from './generated/attributes';
import { isBytes } from './integer-product';
import { integerAt } from './scales';
import { DONE, FAILED, YIELD } from './status';

/** About what an element takes. */
const COST: u64 = 12;

/** A, B, broadcast as numpy does, then scale and zero point of A, of B and of the result. */
export function quantizedBinary(): i32 {
  if (progress == 0 && !begin()) return FAILED;
  if (output(0).byteLength == 0) return DONE;
  prepareWalk(2);
  const done = input(0).dtype == DType.int8 ? walk<i8>() : walk<u8>();
  return done ? DONE : YIELD;
}

function begin(): bool {
  const type = input(0).dtype;
  if (!isBytes(type)) {
    failInput(0, 'int8 or uint8');
    return false;
  }
  for (let i: u32 = 1; i < 8; i++) {
    const isScale = i >= 2 && (i & 1) == 0;
    const fits = hasInput(i) && input(i).dtype == (isScale ? DType.float32 : type) && (i == 1 || input(i).count() == 1);
    if (!fits && (hasInput(i) || isScale || i == 1)) {
      failInput(i, isScale ? 'one float32' : i == 1 ? 'of the type of the first' : 'one number of the type of the first');
      return false;
    }
  }
  if (!broadcastShape(2)) return false;
  setProgress(1);
  return outputAlloc(0, type, output(0).rank);
}

@inline
function scale(i: u32): f32 {
  return load<f32>(input(i).data);
}
@inline
function zero(i: u32): i32 {
  return hasInput(i) ? integerAt(input(i).data, input(i).dtype, 0) : 0;
}

/** Goes over the output piece by piece. False where it yields. */
function walk<T>(): bool {
  const out = output(0);
  const count = out.count();
  const last = walkRank - 1;
  const aInner = walkStride(0, last);
  const bInner = walkStride(1, last);
  const isAdd = quantizedBinaryKind() == QuantizedBinaryKind.add;
  const left = scale(2) / scale(6);
  const right = scale(4) / scale(6);
  const both = scale(2) * scale(4) / scale(6);
  const result = <f32>zero(7);
  // As onnxruntime's kernel has it, which multiplies and adds in one step.
  const sum = <f32>(<f64>left * zero(3) + <f64>(right * <f32>zero(5)));
  const shift = result - sum;
  while (takePiece(count, COST)) {
    let a = input(0).data + pieceOffset(0);
    let b = input(1).data + pieceOffset(1);
    let to = out.data + <usize>pieceStart;
    for (let row: u32 = 0; row < pieceRows; row++, a += pieceStep(0), b += pieceStep(1), to += pieceWidth) {
      if (!isAdd) mulQuantized<T>(a, aInner, b, bInner, to, pieceWidth, zero(3), zero(5), both, result);
      else if (aInner == 0) addQuantized<T>(b, bInner, a, aInner, to, pieceWidth, right, left, shift);
      else addQuantized<T>(a, aInner, b, bInner, to, pieceWidth, left, right, shift);
    }
    if (pieceYields(count, COST)) return false;
  }
  return true;
}
