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
import { readFloats } from '../graph/constant.js';
import type { IntegerWeight, MatrixWeight } from '../graph/program.js';

/** Largest integers, so that each has its negative. */
const most = { int8: 127, int4: 7 };

/** Rows `[first, end)` of columns `[left, right)` of a matrix [K, N], as [end - first, right - left]. */
function readBlock(
  { constant, k, n, transposed, scale }: MatrixWeight,
  first: number,
  end: number,
  left: number,
  right: number,
): Float32Array {
  const [rows, columns] = [end - first, right - left];
  const block = new Float32Array(rows * columns);
  if (!transposed && columns === n) block.set(readFloats(constant, first * n, rows * n));
  else if (!transposed) {
    for (let row = 0; row < rows; row++) {
      block.set(readFloats(constant, (first + row) * n + left, columns), row * columns);
    }
  } else {
    for (let column = 0; column < columns; column++) {
      const values = readFloats(constant, (left + column) * k + first, rows);
      for (let row = 0; row < rows; row++) block[row * columns + column] = values[row]!;
    }
  }
  if (scale) for (let i = 0; i < block.length; i++) block[i]! *= scale[left + (i % columns)]!;
  return block;
}

const scalesKnown = new WeakMap<MatrixWeight, Float32Array>();

/** What a unit of each column's int8 weights stands for: its largest magnitude over 127. */
export function int8Scales(matrix: MatrixWeight): Float32Array {
  let scales = scalesKnown.get(matrix);
  if (!scales) {
    const { k, n } = matrix;
    scales = new Float32Array(packedChannels(n));
    for (let first = 0; first < k; first += integerPiece) {
      const block = readBlock(matrix, first, Math.min(first + integerPiece, k), 0, n);
      for (let i = 0; i < block.length; i++) {
        scales[i % n] = Math.max(scales[i % n]!, Math.abs(block[i]!));
      }
    }
    scales = scales.map((magnitude) => magnitude / most.int8);
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
  const values = readBlock(matrix, first, end, left, right);
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

/** Writes bytes `[start, end)` of integer weights to `target`. Reads what the range holds, no more. */
export function packIntegers(
  target: Uint8Array,
  start: number,
  end: number,
  weight: IntegerWeight,
): void {
  const { k, n } = weight.matrix;
  let position = 0;
  for (let first = 0; first < k && position < end; first += integerPiece) {
    const step = vectorBytes(weight.kind, Math.min(integerPiece, k - first));
    const pieceBytes = (step * packedChannels(n)) / 4;
    const from = Math.max(start - position, 0);
    const to = Math.min(end - position, pieceBytes);
    if (from < to) {
      const left = Math.floor(from / step) * 4;
      const right = Math.min(n, Math.ceil(to / step) * 4);
      const packed = packedPiece(weight, first, left, right);
      const offset = from - (left / 4) * step;
      target.set(packed.subarray(offset, offset + to - from), position + from - start);
    }
    position += pieceBytes;
  }
}
