import {
  int4Block,
  int4BlockBytes,
  int8DepthUnit,
  integerPiece,
  packedChannels,
  paddedDepth,
} from '@canopy/protocol';
import type { IntegerWeight, MatrixWeight } from '../graph/program.js';
import { readLines, type Lines, type Span } from './lines.js';

/** A lane of int4 weights that are all 0. */
const noIntegers = 0x8888;

/** Largest integers, so that each has its negative. */
const most = { int8: 127, int4: 7 };

/** How a matrix is stored: in lines that are rows, or columns where it is transposed. */
function linesOf({ constant, k, n, transposed }: MatrixWeight): Lines {
  return { constant, length: transposed ? k : n };
}

/** Reads a part of a matrix line by line: of the lines that hold `rows` and `columns`, what lies in both. */
function readPart(
  matrix: MatrixWeight,
  rows: Span,
  columns: Span,
  use: (line: number, values: Float32Array, at: number) => void,
): void {
  const [lines, part] = matrix.transposed ? [columns, rows] : [rows, columns];
  readLines(linesOf(matrix), lines, part, use);
}

/** All bits of an f32 but the sign. Without it bits order as magnitudes do, with NaN above all. */
const magnitudeBits = 0x7fffffff;

/** Bits of the largest magnitude among those from `at` on, in steps, up to `end`. */
function largestMagnitude(bits: Int32Array, at: number, end: number, step: number): number {
  let largest = 0;
  for (; at < end; at += step) {
    const magnitude = bits[at]! & magnitudeBits;
    if (magnitude > largest) largest = magnitude;
  }
  return largest;
}

const scalesKnown = new WeakMap<MatrixWeight, Float32Array>();

/** What a unit of each column's int8 weights stands for: its largest magnitude over 127. */
export function int8Scales(matrix: MatrixWeight): Float32Array {
  let scales = scalesKnown.get(matrix);
  if (!scales) {
    const { k, n, transposed, scale } = matrix;
    const magnitudes = new Float32Array(packedChannels(n));
    const largest = new Int32Array(magnitudes.buffer);
    readPart(matrix, { from: 0, to: k }, { from: 0, to: n }, (line, values, at) => {
      const bits = new Int32Array(values.buffer, values.byteOffset);
      if (transposed) largest[line] = largestMagnitude(bits, at, at + k, 1);
      else {
        for (let column = 0; column < n; column++) {
          const magnitude = bits[at + column]! & magnitudeBits;
          if (magnitude > largest[column]!) largest[column] = magnitude;
        }
      }
    });
    if (scale) for (let i = 0; i < n; i++) magnitudes[i] = magnitudes[i]! * Math.abs(scale[i]!);
    scales = magnitudes.map((magnitude) => magnitude / most.int8);
    scalesKnown.set(matrix, scales);
  }
  return scales;
}

/**
 * The integer nearest to a quotient, the greater of two, plus `offset`; magnitudes end at `largest`, which is
 * below `offset`. By truncation, which costs a fourth of `Math.round`.
 */
function nearest(quotient: number, largest: number, offset: number): number {
  const bounded = quotient > largest ? largest : quotient < -largest ? -largest : quotient;
  return (bounded + (offset + 0.5)) | 0;
}

/** Whether a column's or block's numbers are anything but zeros that a scale can stand for. */
function isScale(scale: number): boolean {
  return scale > 0 && scale < Infinity;
}

/** A part of a matrix: all that lies in a piece of the depth and some columns. */
interface Block {
  matrix: MatrixWeight;
  /** Within one piece. */
  rows: Span;
  /** From a multiple of 4 on. */
  columns: Span;
}

/** The numbers of a block: that of a row and column at `row * rowStep + column * columnStep`. */
interface Numbers {
  values: Float32Array;
  rowStep: number;
  columnStep: number;
}

let kept = new Float32Array(0);
/** Lines of a power of two would share the same few sets of a processor's cache. */
const gap = 16;

/** Reads a block's numbers; they are valid until the next are read. */
function numbersOf({ matrix, rows, columns }: Block): Numbers {
  const { transposed, scale } = matrix;
  const [lines, part] = transposed ? [columns, rows] : [rows, columns];
  const count = part.to - part.from;
  const step = count + gap;
  const size = (lines.to - lines.from) * step;
  if (kept.length < size) kept = new Float32Array(size);
  const values = kept;
  readPart(matrix, rows, columns, (line, read, at) => {
    const to = (line - lines.from) * step;
    values.set(read.subarray(at, at + count), to);
    if (!scale) return;
    for (let index = 0; index < count; index++) {
      values[to + index]! *= scale[transposed ? line : part.from + index]!;
    }
  });
  return { values, rowStep: transposed ? 1 : step, columnStep: transposed ? step : 1 };
}

/** Packs a block of int8 weights, as {@link packInt8} does. */
function packedInt8(block: Block): Uint8Array {
  const { matrix, rows, columns } = block;
  const scales = int8Scales(matrix);
  const { values, rowStep, columnStep } = numbersOf(block);
  const count = rows.to - rows.from;
  const vectorBytes = paddedDepth(count, int8DepthUnit) * 4;
  const out = new Int8Array((packedChannels(columns.to - columns.from) / 4) * vectorBytes);
  for (let column = 0; column < columns.to - columns.from; column++) {
    const scale = scales[columns.from + column]!;
    if (!isScale(scale)) continue;
    const place = (column >> 2) * vectorBytes + (column & 3) * 2;
    let at = column * columnStep;
    for (let row = 0; row < count; row++, at += rowStep) {
      out[place + (row >> 1) * 8 + (row & 1)] = nearest(values[at]! / scale, most.int8, 128) - 128;
    }
  }
  return new Uint8Array(out.buffer);
}

const magnitude = new Int32Array(1);
const magnitudeValue = new Float32Array(magnitude.buffer);

/** Packs a block of int4 weights of which `share` rows have a scale in common, as {@link packInt4} does. */
function packedInt4(block: Block, share: number): Uint8Array {
  const { rows, columns } = block;
  const { values, rowStep, columnStep } = numbersOf(block);
  const count = rows.to - rows.from;
  const blocks = paddedDepth(count, int4Block) / int4Block;
  const vectors = packedChannels(columns.to - columns.from) / 4;
  const out = new Uint8Array(vectors * blocks * int4BlockBytes);
  const bits = new Int32Array(values.buffer, values.byteOffset);
  const lanes = new Uint16Array(out.buffer).fill(noIntegers);
  const floats = new Float32Array(out.buffer);
  for (let column = 0; column < vectors * 4; column++) {
    const isGiven = column < columns.to - columns.from;
    const [first, lane] = [(column >> 2) * blocks, column & 3];
    let scale = 0;
    for (let index = 0; index < blocks; index++) {
      const from = index * int4Block;
      if (from % share === 0) {
        const end = isGiven ? Math.min(from + share, count) : from;
        const start = column * columnStep;
        const [begin, stop] = [start + from * rowStep, start + end * rowStep];
        magnitude[0] = largestMagnitude(bits, begin, stop, rowStep);
        scale = Math.fround(magnitudeValue[0]! / most.int4);
      }
      const place = ((first + index) * int4BlockBytes) / 2 + lane * 2;
      const end = isGiven && isScale(scale) ? Math.min(int4Block, count - from) : 0;
      let at = from * rowStep + column * columnStep;
      for (let row = 0; row < end; row++, at += rowStep) {
        const to = place + (row >> 3) * 8 + (row & 1);
        const shift = 4 * ((row & 7) >> 1);
        // The bits were 8 before, which stands for 0.
        lanes[to] = lanes[to]! ^ ((nearest(values[at]! / scale, most.int4, 8) ^ 8) << shift);
      }
      floats[((first + index + 1) * int4BlockBytes) / 4 - 4 + lane] = scale;
    }
  }
  return out;
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

/** Most numbers that are packed at once, so that they stay in the processor's caches. */
const mostNumbers = 1024 * 1024;

/** The bytes around `position` that {@link packIntegers} packs at once: some columns of a piece. */
export function integerPart(weight: IntegerWeight, position: number): Span {
  const { step, position: begin } = pieceAt(weight, position);
  const vectors = packedChannels(weight.matrix.n) / 4;
  const most = mostNumbers / (4 * integerPiece);
  const first = Math.floor((position - begin) / step / most) * most;
  return { from: begin + first * step, to: begin + Math.min(vectors, first + most) * step };
}

/** Packs bytes of integer weights that {@link integerPart} gave. */
export function packIntegers(weight: IntegerWeight, { from, to }: Span): Uint8Array {
  const { first, position, step } = pieceAt(weight, from);
  const { matrix } = weight;
  const block: Block = {
    matrix,
    rows: { from: first, to: Math.min(first + integerPiece, matrix.k) },
    columns: {
      from: ((from - position) / step) * 4,
      to: Math.min(matrix.n, ((to - position) / step) * 4),
    },
  };
  return weight.kind === 'int8' ? packedInt8(block) : packedInt4(block, weight.block);
}
