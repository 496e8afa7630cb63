import { DType } from '../generated/constants';
import { chooseWords } from '../kernels/choose';
import { failInput, failInputs, input, output, outputAlloc, progress, setProgress } from '../tensor/node';
import { dtypeBytes } from '../tensor/tensor';
import {
  broadcastShape, pieceOffset, pieceRows, pieceStart, pieceStep, pieceWidth, pieceYields, prepareWalk, takePiece,
  walkRank, walkStride,
} from './broadcast';
import { DONE, FAILED, YIELD } from './status';

/** About what an element takes. */
const COST: u64 = 36;

/** condition, X, Y, broadcast as numpy does. */
export function where(): i32 {
  const type = input(1).dtype;
  const out = output(0);
  if (progress == 0) {
    if (input(0).dtype != DType.bool) {
      failInput(0, 'bool');
      return FAILED;
    }
    if (input(2).dtype != type) {
      failInputs(1, 2, 'types must be equal');
      return FAILED;
    }
    if (!broadcastShape(3) || !outputAlloc(0, type, out.rank)) return FAILED;
    setProgress(1);
  }
  if (out.byteLength == 0) return DONE;
  prepareWalk(3);
  switch (dtypeBytes(type)) {
    case 1:
      return walk<u8>();
    case 2:
      return walk<u16>();
    case 4:
      return walk<u32>();
    default:
      return walk<u64>();
  }
}

function walk<T>(): i32 {
  const out = output(0);
  const count = out.count();
  const last = walkRank - 1;
  const cStep = <usize>walkStride(0, last);
  const xStep = walkStride(1, last) * sizeof<T>();
  const yStep = walkStride(2, last) * sizeof<T>();
  const isWords = sizeof<T>() == 4 && cStep == 1 && xStep <= 4 && yStep <= 4;
  while (takePiece(count, COST)) {
    let cRow = input(0).data + pieceOffset(0);
    let xRow = input(1).data + pieceOffset(1) * sizeof<T>();
    let yRow = input(2).data + pieceOffset(2) * sizeof<T>();
    let to = out.data + <usize>pieceStart * sizeof<T>();
    for (let r = pieceRows; r != 0; r--) {
      let c = cRow;
      let x = xRow;
      let y = yRow;
      if (isWords) {
        chooseWords(c, x, xStep, y, yStep, to, pieceWidth);
        to += <usize>pieceWidth << 2;
      } else for (let i = pieceWidth; i != 0; i--, c += cStep, x += xStep, y += yStep, to += sizeof<T>()) {
        store<T>(to, load<T>(load<u8>(c) != 0 ? x : y));
      }
      cRow += pieceStep(0);
      xRow += pieceStep(1) * sizeof<T>();
      yRow += pieceStep(2) * sizeof<T>();
    }
    if (pieceYields(count, COST)) return YIELD;
  }
  return DONE;
}
