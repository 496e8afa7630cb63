import type { OpName } from '@canopy/protocol';
import type { OpAttributes } from '../program.js';
import { same, type Dim } from '../shapes/dim.js';
import { fromFront } from '../shapes/facts.js';
import { afterReshape, along, none, uniform, type Along, type Rows } from './rows.js';

/** What is known of the operands of a node. */
export interface Operands {
  /** Of each input; those left out depend on nothing. None is mixed. */
  inputs: readonly Rows[];
  /** Of the first input. */
  first: Rows;
  /** Whether an input is given. */
  has: (input: number) => boolean;
  dims: (input: number) => readonly Dim[];
  output: readonly Dim[];
  /** Numbers of an input, where they follow from sizes and constants. */
  elements: (input: number) => readonly (Dim | undefined)[] | undefined;
  /** The number of rows. */
  rows: Dim;
  /** Whether a size depends on the number of rows. */
  counts: (dim: Dim) => boolean;
}

/** A node of a program, with what is known of its operands. */
export interface Step<Op extends OpName> extends Operands {
  attributes: OpAttributes[Op];
}

/** Where the rows of a result lie; undefined where rows are mixed. */
export type RowRule<Op extends OpName> = (step: Step<Op>) => Rows | undefined;

type GeneralRule = (step: Operands) => Rows | undefined;

/** Of an operation that treats each element, or each place along the rows' axis, alike. */
function keeps(axisAllowed: (axis: number, rank: number) => boolean): GeneralRule {
  return ({ first, dims }) => {
    if (first.kind !== 'along') return first;
    return axisAllowed(first.axis, dims(0).length) ? first : undefined;
  };
}

/** Rows counted from the last axis, by which operands are aligned that are broadcast. */
function fromBehind({ axis, outer, inner }: Along, rank: number): Along {
  return along(axis - rank, outer, inner);
}

function sameRows(a: Along, b: Along): boolean {
  return a.axis === b.axis && same(a.outer, b.outer) && same(a.inner, b.inner);
}

/** Operands broadcast together: rows along the same axis, where all other operands have 1. */
const broadcasting: GeneralRule = ({ inputs, dims, output }) => {
  let found: Along | undefined;
  for (const [input, rows] of inputs.entries()) {
    if (rows.kind !== 'along') continue;
    const own = fromBehind(rows, dims(input).length);
    if (found && !sameRows(found, own)) return undefined;
    found = own;
  }
  if (!found) return none;
  for (const [input, rows] of inputs.entries()) {
    if (rows.kind === 'along') continue;
    const size = dims(input)[found.axis + dims(input).length] ?? 1;
    if (size !== 1) return undefined;
  }
  return along(found.axis + output.length, found.outer, found.inner);
};

/** Images are [batch, height, width, channels]: each is worked on by itself. */
const images: GeneralRule = keeps((axis) => axis === 0);

/** The same elements in another shape. */
const inShape: GeneralRule = ({ first, dims, output, rows }) =>
  first.kind === 'along' ? afterReshape(first, dims(0), output, rows) : first;

const matMul: RowRule<'MatMul'> = ({ inputs: [a, b], dims, output, attributes }) => {
  const ranks = [dims(0).length, dims(1).length] as const;
  if (ranks[0] < 2 || ranks[1] < 2) return undefined;
  const { transA, transB } = attributes;
  const rank = output.length;
  const place = (rows: Along, side: 0 | 1): { batch: boolean; depth: boolean } => {
    const behind = rows.axis - ranks[side];
    const depth = side === 0 ? (transA ? -2 : -1) : transB ? -1 : -2;
    return { batch: behind < -2, depth: behind === depth };
  };
  const left = a?.kind === 'along' ? a : undefined;
  const right = b?.kind === 'along' ? b : undefined;
  if (!left && !right) return none;
  if (left && right) {
    const [l, r] = [fromBehind(left, ranks[0]), fromBehind(right, ranks[1])];
    const both = place(left, 0).batch && sameRows(l, r);
    return both ? along(l.axis + rank, l.outer, l.inner) : undefined;
  }
  const side = left ? 0 : 1;
  const own = (left ?? right)!;
  const { batch, depth } = place(own, side);
  if (depth) return undefined;
  // The sums of one or two rows with a transposed matrix are made in another order than those of more.
  if (side === 0 && transB && (!batch || ranks[1] === 2)) return undefined;
  const behind = own.axis - ranks[side];
  if (!batch) return along(rank - (side === 0 ? 2 : 1), own.outer, own.inner);
  const other = dims(1 - side);
  if (other.length >= -behind && other.at(behind) !== 1) return undefined;
  return along(behind + rank, own.outer, own.inner);
};

const reduce: RowRule<'Reduce'> = ({ first, attributes }) => {
  if (first.kind !== 'along') return first;
  const { axes, keepDims } = attributes;
  if (axes.length === 0 || axes.includes(first.axis)) return undefined;
  const gone = keepDims ? 0 : axes.filter((axis) => axis < first.axis).length;
  return along(first.axis - gone, first.outer, first.inner);
};

const transpose: RowRule<'Transpose'> = ({ first, attributes }) => {
  if (first.kind !== 'along') return first;
  const axis = attributes.permutation.indexOf(first.axis);
  return along(axis, first.outer, first.inner);
};

/** Rows of the indices look up a table of their own; rows of the table stay outside of what is looked up. */
const gather: RowRule<'Gather'> = ({ first: data, inputs: [, indices], dims, attributes }) => {
  const { axis } = attributes;
  if (data.kind === 'along' && indices?.kind === 'along') return undefined;
  if (indices?.kind === 'along') {
    return along(axis + indices.axis, indices.outer, indices.inner);
  }
  if (data.kind !== 'along') return none;
  if (data.axis === axis) return undefined;
  const moved = data.axis < axis ? data.axis : data.axis + dims(1).length - 1;
  return along(moved, data.outer, data.inner);
};

/** The axis of the rows is left whole, and bounds along others do not depend on their number. */
const slice: RowRule<'Slice'> = ({ first: data, dims, output, elements, has, counts }) => {
  const rank = dims(0).length;
  const starts = dims(1)[0];
  const axes = has(3)
    ? elements(3)
    : typeof starts === 'number'
      ? [...Array(starts).keys()]
      : undefined;
  if (!axes) return undefined;
  for (const [index, given] of axes.entries()) {
    if (typeof given !== 'number') return undefined;
    const axis = fromFront(given, rank);
    if (data.kind === 'along' && axis === data.axis) {
      const forward = !has(4) || elements(4)?.[index] === 1;
      if (!forward || !same(dims(0)[axis]!, output[axis]!)) return undefined;
      continue;
    }
    const bounds = [elements(1)?.[index], elements(2)?.[index]];
    const known = bounds.every((bound) => bound !== undefined);
    if (known && bounds.some((bound) => counts(bound))) return undefined;
  }
  return data;
};

const concat: RowRule<'Concat'> = ({ inputs, first, attributes }) => {
  if (inputs.every(({ kind }) => kind === 'none')) return none;
  if (first.kind !== 'along' || first.axis === attributes.axis) return undefined;
  const alike = inputs.every((rows) => rows.kind === 'along' && sameRows(rows, first));
  return alike ? first : undefined;
};

/** What is repeated to a shape that counts the rows is the same for each of them. */
const expand: RowRule<'Expand'> = ({ first: data, dims, output, rows }) => {
  if (data.kind === 'along') {
    return along(data.axis + output.length - dims(0).length, data.outer, data.inner);
  }
  return uniform(output, rows) ?? none;
};

const pad: RowRule<'Pad'> = ({ first: data, inputs: [, , value], elements, dims }) => {
  if (value && value.kind !== 'none') return undefined;
  if (data.kind !== 'along') return data;
  const rank = dims(0).length;
  const pads = elements(1);
  return pads?.[data.axis] === 0 && pads[data.axis + rank] === 0 ? data : undefined;
};

/** Every operator of a program. */
export const rowRules: { readonly [Op in OpName]: RowRule<Op> } = {
  Unary: keeps(() => true),
  Cast: keeps(() => true),
  Identity: keeps(() => true),
  Binary: broadcasting,
  Where: broadcasting,
  Linear: keeps((axis, rank) => axis !== rank - 1),
  Conv: images,
  DepthwiseConv: images,
  MaxPool: images,
  AveragePool: images,
  GlobalAveragePool: images,
  MatMul: matMul,
  // A single column is summed in another order than several.
  Softmax: (step) => {
    const rank = step.dims(0).length;
    return keeps((axis) => axis < fromFront(step.attributes.axis, rank))(step);
  },
  LayerNorm: (step) => keeps((axis) => axis < step.attributes.axis)(step),
  Reduce: reduce,
  Transpose: transpose,
  Reshape: inShape,
  Flatten: inShape,
  Squeeze: inShape,
  Unsqueeze: inShape,
  Shape: ({ dims, attributes, counts }) => {
    const { start, end } = attributes;
    return dims(0).slice(start, end).some(counts) ? { kind: 'count' } : none;
  },
  Gather: gather,
  Slice: slice,
  Concat: concat,
  Expand: expand,
  ConstantOfShape: ({ output, rows }) => uniform(output, rows) ?? none,
  // Its numbers count the rows, or the places along another axis.
  Range: ({ inputs }) => (inputs.every(({ kind }) => kind === 'none') ? none : undefined),
  Pad: pad,
};
