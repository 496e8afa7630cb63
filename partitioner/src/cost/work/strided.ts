import { dtypeBytes, elementCount, type DTypeName } from '@canopy/protocol';
import { Counts, type Work } from './work.js';

/** A dimension of a walk: its size, and the step of each operand, in elements. */
interface WalkDim {
  size: number;
  steps: number[];
}

/** Leaves out dimensions of 1 and merges neighbours where every operand's steps allow. */
function merged(dims: readonly WalkDim[]): WalkDim[] {
  const found: WalkDim[] = [];
  for (const { size, steps } of dims) {
    if (size === 1) continue;
    const before = found.at(-1);
    if (before && steps.every((step, operand) => before.steps[operand] === step * size)) {
      before.size *= size;
      before.steps = [...steps];
    } else found.push({ size, steps: [...steps] });
  }
  return found.length > 0 ? found : [{ size: 1, steps: dims[0]?.steps.map(() => 1) ?? [] }];
}

export function stepsOf(dims: readonly number[]): number[] {
  return dims.map((_, axis) => elementCount(dims.slice(axis + 1)));
}

/** Operands broadcast to `output`, as numpy does: the dimensions left, the innermost last. */
export function broadcastWalk(
  output: readonly number[],
  operands: readonly (readonly number[])[],
): WalkDim[] {
  const rank = output.length;
  const all = operands.map((dims) => {
    const own = stepsOf(dims);
    return output.map((size, axis) => {
      const at = axis - (rank - dims.length);
      return at < 0 || (dims[at] === 1 && size !== 1) ? 0 : own[at]!;
    });
  });
  return merged(output.map((size, axis) => ({ size, steps: all.map((steps) => steps[axis]!) })));
}

/** Rows of contiguous bytes copied one by one, by the loop of some operator. */
export function copyWork(loop: string, rows: number, bytes: number): Work[] {
  const rest = bytes % 16;
  const counts = {
    block: rows * Math.floor(bytes / 128),
    vector: rows * Math.floor((bytes % 128) / 16),
    half: rows * Number(rest >= 8),
    word: rows * Number(rest % 8 >= 4),
    byte: rows * (rest % 4),
  };
  return [
    { kernel: `rows.${loop}`, counts: { row: rows } },
    { kernel: 'copy', counts },
  ];
}

/** A copy whose input has a step of its own for each output dimension; in elements. */
export function stridedWork(
  output: readonly number[],
  steps: readonly number[],
  dtype: DTypeName,
): Work[] {
  const dims = merged(output.map((size, axis) => ({ size, steps: [steps[axis]!] })));
  const columns = dims.at(-1)!;
  const rows = dims.at(-2) ?? { size: 1, steps: [0] };
  const planes = dims.slice(0, -2).reduce((product, { size }) => product * size, 1);
  const count = planes * rows.size;
  const plane: Work = { kernel: 'planes', counts: { plane: planes } };
  const size = dtypeBytes(dtype);
  const transposes = dims.length > 1 && rows.steps[0] === 1 && columns.steps[0] !== 0;
  if (transposes && size === 4) {
    return [plane, transposeWork('transpose', 4, planes, rows.size, columns.size)];
  }
  if (transposes && size === 1) {
    if (columns.size === 3) return [plane, interleaveBytesWork(planes, rows.size)];
    return [plane, transposeWork('transpose.bytes', 8, planes, rows.size, columns.size)];
  }
  if (columns.steps[0] === 1) {
    return [plane, ...copyWork('strided', count, columns.size * dtypeBytes(dtype))];
  }
  return [plane, { kernel: 'gather', counts: { row: count, element: count * columns.size } }];
}

/** Transposes of [rows, columns] in squares of `side` by `side`. */
function transposeWork(
  kernel: string,
  side: number,
  planes: number,
  rows: number,
  columns: number,
): Work {
  const squares = Math.floor(rows / side) * Math.floor(columns / side);
  const counts = new Counts();
  counts.add('square', planes * squares);
  counts.add('element', planes * (rows * columns - squares * side * side));
  counts.add('rowOfSquares', planes * Math.ceil(rows / side)).add('plane', planes);
  return { kernel, counts: counts.counts };
}

/** Three planes of bytes into triples. */
function interleaveBytesWork(planes: number, rows: number): Work {
  const counts = { turn: planes * Math.floor(rows / 16), element: planes * (rows % 16) };
  return { kernel: 'interleave.bytes', counts };
}

/** Steps of an input through a permutation of its dimensions. */
export function permutedSteps(input: readonly number[], permutation: readonly number[]): number[] {
  const own = stepsOf(input);
  return permutation.map((axis) => own[axis]!);
}

/** Sizes before, at and after an axis. */
export function around(dims: readonly number[], axis: number): [number, number, number] {
  return [elementCount(dims.slice(0, axis)), dims[axis] ?? 1, elementCount(dims.slice(axis + 1))];
}

/** Rows that are gone over number by number, most of it in vectors. */
export function rowCounts(rows: number, size: number): Record<string, number> {
  return {
    row: rows,
    turn: rows * Math.floor(size / 16),
    vector: rows * Math.floor(size / 4),
    rest: rows * (size % 16),
    tail: rows * (size % 4),
  };
}

/** Steps of an input, 0 where it is broadcast. */
export function broadcastSteps(input: readonly number[], output: readonly number[]): number[] {
  const own = stepsOf(input);
  return output.map((size, axis) => {
    const at = axis - (output.length - input.length);
    return at < 0 || (input[at] === 1 && size !== 1) ? 0 : own[at]!;
  });
}

/** Of an operator that gives its input another name or shape: nothing, where it takes over its buffer. */
export function renamedWork(bytes: number, inPlace: boolean): Work[] {
  return inPlace ? [] : copyWork('strided', 1, bytes);
}
