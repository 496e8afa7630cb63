import type { OpAttributes, OpName } from '@canopy/protocol';
import { type Dim, same } from '../shapes/dim.js';
import { afterReshape, type Along, along, none, type Rows } from './rows.js';

/** What is known of the operands of a node. */
export interface Operands {
  /** Of each input; those left out depend on nothing. None is mixed. */
  inputs: readonly Rows[];
  /** Of the first input. */
  first: Rows;
  /** Whether an input is given. */
  has: (input: number) => boolean;
  dims: (input: number) => readonly Dim[];
  /** Dimensions of the output that is asked about, and its index. */
  output: readonly Dim[];
  outputIndex: number;
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

export type GeneralRule = (step: Operands) => Rows | undefined;

/** Of an operation that treats each element, or each place along the rows' axis, alike. */
export function keeps(axisAllowed: (axis: number, rank: number) => boolean): GeneralRule {
  return ({ first, dims }) => {
    if (first.kind !== 'along') return first;
    return axisAllowed(first.axis, dims(0).length) ? first : undefined;
  };
}

/** Rows counted from the last axis, by which operands are aligned that are broadcast. */
export function fromBehind({ axis, outer, inner }: Along, rank: number): Along {
  return along(axis - rank, outer, inner);
}

export function sameRows(a: Along, b: Along): boolean {
  return a.axis === b.axis && same(a.outer, b.outer) && same(a.inner, b.inner);
}

/** Operands broadcast together: rows along the same axis, where all other operands have 1. */
export const broadcastRows: GeneralRule = ({ inputs, dims, output }) => {
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
export const eachImage: GeneralRule = keeps((axis) => axis === 0);

/** The same elements in another shape. */
export const sameElements: GeneralRule = ({ first, dims, output, rows }) =>
  first.kind === 'along' ? afterReshape(first, dims(0), output, rows) : first;
