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
import { TileReader, type Range } from './tile.js';

/** Largest integers, so that each has its negative. */
const most = { int8: 127, int4: 7 };

/** Rows `[top, bottom)` of columns `[left, right)` of a matrix [K, N], as [bottom - top, right - left]. */
function readBlock(matrix: MatrixWeight, range: Range, tiles: TileReader): Float32Array {
  const { top, bottom, left, right } = range;
  const { scale } = matrix;
  const tile = tiles.read(matrix, range);
  const { values, columnStep } = tile;
  const block = new Float32Array((bottom - top) * (right - left));
  let to = 0;
  for (let row = top; row < bottom; row++) {
    let from = tile.at(row, left);
    for (let column = left; column < right; column++, from += columnStep) {
      block[to++] = scale ? values[from]! * scale[column]! : values[from]!;
    }
  }
  return block;
}

const scalesKnown = new WeakMap<MatrixWeight, Float32Array>();

/** What a unit of each column's int8 weights stands for: its largest magnitude over 127. */
export function int8Scales(matrix: MatrixWeight): Float32Array {
  let scales = scalesKnown.get(matrix);
  if (!scales) {
    const { k, n, scale } = matrix;
    scales = new Float32Array(packedChannels(n));
    const tiles = new TileReader();
    for (let top = 0; top < k; top += integerPiece) {
      const bottom = Math.min(top + integerPiece, k);
      for (let left = 0; left < n;) {
        const tile = tiles.read(matrix, { top, bottom, left, right: left + 1 });
        const { values, columnStep } = tile;
        const { right } = tile.range;
        for (let row = top; row < bottom; row++) {
          let from = tile.at(row, left);
          for (let column = left; column < right; column++, from += columnStep) {
            const magnitude = Math.abs(values[from]!);
            if (magnitude > scales[column]!) scales[column] = magnitude;
          }
        }
        left = right;
      }
    }
    if (scale)
      scales.forEach((magnitude, at) => (scales![at] = magnitude * Math.abs(scale[at] ?? 0)));
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
  tiles: TileReader,
): Uint8Array {
  const { kind, matrix } = weight;
  const end = Math.min(first + integerPiece, matrix.k);
  const columns = right - left;
  const values = readBlock(matrix, { top: first, bottom: end, left, right }, tiles);
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
  tiles: TileReader,
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
      const packed = packedPiece(weight, first, left, right, tiles);
      const offset = from - (left / 4) * step;
      target.set(packed.subarray(offset, offset + to - from), position + from - start);
    }
    position += pieceBytes;
  }
}
