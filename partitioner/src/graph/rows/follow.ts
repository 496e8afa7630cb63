import type { OpName } from '@canopy/protocol';
import { programOperator } from '../../operators/index.js';
import { allInts } from '../constant.js';
import type { Program, ProgramNode } from '../program.js';
import { symbol, type Dim } from '../shapes/dim.js';
import { along, counts, fits, none, type Rows } from './rows.js';
import type { Step } from './rule.js';

/** Whether each row of a request is worked on by itself, and if not, why. */
export type Independence = { independent: true } | { independent: false; why: string };

/**
 * Follows the rows of the inputs (dimension 0) through the operations of a program. They are
 * independent where each output holds a part for each row, in order along its dimension 0, and each
 * part is made of that row alone; only then may a request be cut into micro-batches.
 *
 * @param rows name of the dimension that counts rows; undefined where the inputs share none
 */
export function followRows(program: Program, rows: string | undefined): Independence {
  if (rows === undefined) {
    return { independent: false, why: 'its inputs share no open first dimension' };
  }
  const count = symbol(rows);
  const known = new Map<string, Rows>();
  const rowsOf = (name: string): Rows => known.get(name) ?? none;
  const dimsOf = (name: string): readonly Dim[] => program.values.get(name)!.shapes.dims;

  for (const input of program.inputs) {
    const first = along(0);
    known.set(
      input,
      fits(first, dimsOf(input), count)
        ? first
        : { kind: 'mixed', why: `input "${input}" has ${rows} in more than one place` },
    );
  }
  for (const node of program.nodes) {
    for (const [index, output] of node.outputs.entries()) {
      if (output === '') continue;
      known.set(output, rowsAfter(program, node, index, node.inputs.map(rowsOf), rows, count));
    }
  }
  for (const output of program.outputs) {
    const found = rowsOf(output);
    if (found.kind === 'mixed') return { independent: false, why: found.why };
    const inPlace = found.kind === 'along' && found.axis === 0;
    if (!inPlace || found.outer !== 1 || found.inner !== 1) {
      return { independent: false, why: `output "${output}" is not one row for each row` };
    }
  }
  return { independent: true };
}

/** How a node's output depends on the rows. */
function rowsAfter(
  program: Program,
  node: ProgramNode,
  outputIndex: number,
  inputs: readonly Rows[],
  name: string,
  rows: Dim,
): Rows {
  const value = (input: string) => program.values.get(input)!;
  const { shapes, elements } = value(node.outputs[outputIndex]!);
  const output = shapes.dims;
  if (elements?.every((element) => element !== undefined)) {
    return elements.some((element) => counts(element, name)) ? { kind: 'count' } : none;
  }
  const mixed = inputs.find(({ kind }) => kind === 'mixed');
  if (mixed && node.op !== 'Shape') return mixed;

  const step: Step<OpName> = {
    attributes: node.attributes,
    inputs,
    first: inputs[0] ?? none,
    has: (input) => (node.inputs[input] ?? '') !== '',
    dims: (input) => (node.inputs[input] ? value(node.inputs[input]).shapes.dims : []),
    output,
    outputIndex,
    elements: (input) => {
      const { weight, elements } = value(node.inputs[input]!);
      if (weight?.kind !== 'plain') return elements;
      const { constant } = weight;
      return constant.dtype === 'int64' || constant.dtype === 'int32'
        ? allInts(constant)
        : undefined;
    },
    rows,
    counts: (dim) => counts(dim, name),
  };
  const found = operandsFit(node, inputs) ? programOperator<OpName>(node.op).rows(step) : undefined;
  const holds =
    found &&
    (found.kind === 'along' ? fits(found, output, rows) : !output.some((dim) => counts(dim, name)));
  if (holds) return found;
  return { kind: 'mixed', why: `${node.op} "${node.name}" works across rows` };
}

/** Whether no size depends on what is in the rows, and nothing else on how many there are. */
function operandsFit(node: ProgramNode, inputs: readonly Rows[]): boolean {
  const sizes = programOperator(node.op).sizeInputs ?? [];
  return inputs.every(({ kind }, input) =>
    sizes.includes(input) ? kind !== 'along' : kind !== 'count' || node.op === 'Shape',
  );
}
