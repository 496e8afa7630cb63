import {
  int4Block,
  int4BlockBytes,
  int8DepthUnit,
  integerPiece,
  packedChannels,
  packInt4,
  packInt8,
  paddedDepth,
} from '@canopy/protocol';
import type { IntegerWeight, MatrixWeight } from '../graph/program.js';
import { readLines, type Lines, type Span } from './lines.js';

/** Largest integers, so that each has its negative. */
const most = { int8: 127, int4: 7 };

/** How a matrix is stored: in lines that are rows, or columns where it is transposed. */
function linesOf({ constant, k, n, transposed }: MatrixWeight): Lines {
  return { constant, length: transposed ? k : n };
}

/** Calls `use` for each number of a part of a matrix, in the order in which they are stored. */
function forEachNumber(
  matrix: MatrixWeight,
  rows: Span,
  columns: Span,
  use: (row: number, column: number, value: number) => void,
): void {
  const { transposed, scale } = matrix;
  const [lines, part] = transposed ? [columns, rows] : [rows, columns];
  readLines(linesOf(matrix), lines, part, (line, values, at) => {
    for (let index = part.from; index < part.to; index++, at++) {
      const [row, column] = transposed ? [index, line] : [line, index];
      use(row, column, scale ? values[at]! * scale[column]! : values[at]!);
    }
  });
}

const scalesKnown = new WeakMap<MatrixWeight, Float32Array>();

/** What a unit of each column's int8 weights stands for: its largest magnitude over 127. */
export function int8Scales(matrix: MatrixWeight): Float32Array {
  let scales = scalesKnown.get(matrix);
  if (!scales) {
    const { k, n } = matrix;
    const magnitudes = new Float32Array(packedChannels(n));
    forEachNumber(matrix, { from: 0, to: k }, { from: 0, to: n }, (_, column, value) => {
      magnitudes[column] = Math.max(magnitudes[column]!, Math.abs(value));
    });
    scales = magnitudes.map((magnitude) => magnitude / most.int8);
    scalesKnown.set(matrix, scales);
  }
  return scales;
}

/** The nearest integer of magnitude at most `largest`; 0 of a scale of 0. */
function quantized(value: number, scale: number, largest: number): number {
  if (scale === 0) return 0;
  return Math.max(-largest, Math.min(largest, Math.round(value / scale)));
}

/** Scales of the blocks of `share` rows of `[rows, columns]` values: the largest magnitudes over 7. */
function blockScales(values: Float32Array, columns: number, share: number): Float32Array {
  const rows = values.length / columns;
  const scales = new Float32Array(Math.ceil(rows / share) * columns);
  values.forEach((value, i) => {
    const at = Math.floor(Math.floor(i / columns) / share) * columns + (i % columns);
    scales[at] = Math.max(scales[at]!, Math.abs(value) / most.int4);
  });
  return scales;
}

/** Columns `[left, right)` of a piece of the depth that begins at `first`, packed. */
function packedPiece(
  weight: IntegerWeight,
  first: number,
  left: number,
  right: number,
): Uint8Array {
  const { kind, matrix } = weight;
  const end = Math.min(first + integerPiece, matrix.k);
  const columns = right - left;
  const values = new Float32Array((end - first) * columns);
  forEachNumber(
    matrix,
    { from: first, to: end },
    { from: left, to: right },
    (row, column, value) => {
      values[(row - first) * columns + column - left] = value;
    },
  );
  if (kind === 'int8') {
    const scales = int8Scales(matrix).subarray(left, right);
    const packed = packInt8(end - first, columns, (row, column) =>
      quantized(values[row * columns + column]!, scales[column]!, most.int8),
    );
    return new Uint8Array(packed.buffer);
  }
  const share = weight.block / int4Block;
  const scales = blockScales(values, columns, weight.block);
  const scaleOf = (block: number, column: number): number =>
    scales[Math.floor(block / share) * columns + column]!;
  return packInt4(
    end - first,
    columns,
    (row, column) =>
      quantized(
        values[row * columns + column]!,
        scaleOf(Math.floor(row / int4Block), column),
        most.int4,
      ),
    scaleOf,
  );
}

/** Bytes that four channels take for a depth. */
function vectorBytes(kind: IntegerWeight['kind'], depth: number): number {
  return kind === 'int8'
    ? paddedDepth(depth, int8DepthUnit) * 4
    : (paddedDepth(depth, int4Block) / int4Block) * int4BlockBytes;
}

/** Where a piece of the depth begins, in rows, and what it takes. */
interface Piece {
  first: number;
  position: number;
  /** Bytes of four channels. */
  step: number;
}

function pieceAt({ kind, matrix }: IntegerWeight, position: number): Piece {
  const { k, n } = matrix;
  const vectors = packedChannels(n) / 4;
  const whole = vectorBytes(kind, integerPiece) * vectors;
  const index = Math.floor(position / whole);
  const first = index * integerPiece;
  const step = vectorBytes(kind, Math.min(integerPiece, k - first));
  return { first, position: index * whole, step };
}

/** The bytes around `position` that {@link packIntegers} packs at once: some columns of a piece. */
export function integerPart(weight: IntegerWeight, position: number, mostFloats: number): Span {
  const { step, position: begin } = pieceAt(weight, position);
  const vectors = packedChannels(weight.matrix.n) / 4;
  const most = Math.max(1, Math.floor(mostFloats / (4 * integerPiece)));
  const first = Math.floor((position - begin) / step / most) * most;
  return { from: begin + first * step, to: begin + Math.min(vectors, first + most) * step };
}

/** Packs bytes of integer weights that {@link integerPart} gave. */
export function packIntegers(weight: IntegerWeight, { from, to }: Span): Uint8Array {
  const { first, position, step } = pieceAt(weight, from);
  const left = ((from - position) / step) * 4;
  const right = Math.min(weight.matrix.n, ((to - position) / step) * 4);
  return packedPiece(weight, first, left, right);
}
