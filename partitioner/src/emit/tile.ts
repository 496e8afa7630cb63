import { panelChannels } from '@canopy/protocol';
import { readFloats, type Constant } from '../graph/constant.js';

/** Most bytes of a matrix that are held while they are packed. */
const mostTileBytes = 32 * 1024 * 1024;

/** A matrix [K, N] of f32 numbers as its file has it: row after row, or column after column. */
export interface StoredMatrix {
  constant: Constant;
  k: number;
  n: number;
  transposed: boolean;
}

/** Rows `[top, bottom)` of columns `[left, right)` of a matrix; half-open as everywhere. */
export interface Range {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

/** Numbers of a part of a matrix: number (row, column) of the matrix lies at {@link at}. */
export class Tile {
  /** From one row to the next, and from one column to the next. */
  readonly rowStep: number;
  readonly columnStep: number;
  readonly values: Float32Array;

  constructor(
    readonly matrix: StoredMatrix,
    readonly range: Range,
  ) {
    const { top, bottom, left, right } = range;
    this.rowStep = matrix.transposed ? 1 : right - left;
    this.columnStep = matrix.transposed ? bottom - top : 1;
    this.values = readTile(matrix, range);
  }

  at(row: number, column: number): number {
    const { top, left } = this.range;
    return (row - top) * this.rowStep + (column - left) * this.columnStep;
  }

  holds({ constant, transposed }: StoredMatrix, range: Range): boolean {
    const own = this.range;
    return (
      this.matrix.constant === constant &&
      this.matrix.transposed === transposed &&
      own.top === range.top &&
      own.bottom === range.bottom &&
      own.left <= range.left &&
      range.right <= own.right
    );
  }
}

function readTile(matrix: StoredMatrix, { top, bottom, left, right }: Range): Float32Array {
  const { constant, k, n, transposed } = matrix;
  // Lines lie together in the file: rows, or columns where the matrix is transposed.
  const [length, first, end, from, to] = transposed
    ? [k, left, right, top, bottom]
    : [n, top, bottom, left, right];
  const count = to - from;
  if (count === length) return readFloats(constant, first * length, (end - first) * length);
  const values = new Float32Array((end - first) * count);
  for (let line = first; line < end; line++) {
    values.set(readFloats(constant, line * length + from, count), (line - first) * count);
  }
  return values;
}

/**
 * Reads matrices from left to right in tiles as wide as memory allows, and keeps the last: asked for
 * columns in order, it reads each number once, in long pieces.
 */
export class TileReader {
  private held: Tile | undefined;

  /** A tile with the rows of `range` and at least its columns. */
  read(matrix: StoredMatrix, range: Range): Tile {
    if (this.held?.holds(matrix, range)) return this.held;
    const { top, bottom, left, right } = range;
    const most = Math.floor(mostTileBytes / 4 / Math.max(1, bottom - top));
    const wide = left + Math.floor(most / panelChannels) * panelChannels;
    // What was held is free before the next is read.
    this.held = undefined;
    this.held = new Tile(matrix, {
      ...range,
      right: Math.min(matrix.n, Math.max(right, wide)),
    });
    return this.held;
  }

  /** Forgets what is held. */
  release(): void {
    this.held = undefined;
  }
}
