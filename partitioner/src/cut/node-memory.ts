import { operators, type OpName } from '@canopy/protocol';
import { nodeAt } from '../cost/work/node-work.js';
import type { Program, ProgramNode } from '../graph/program.js';
import { programOperator } from '../operators/index.js';

/** The shape of a value at the rows that are planned for. */
export type ShapeOf = (name: string) => readonly number[];

/**
 * Inputs whose memory the node's result can take where nobody reads them later, the first choice first:
 * as the operator's description says, and only those of the result's type.
 */
export function takenOver(program: Program, node: ProgramNode, shapeOf: ShapeOf): string[] {
  const { inPlace = [] } = operators[node.op];
  const output = node.outputs[0]!;
  const dtype = (name: string) => program.values.get(name)?.dtype;
  const fits = (name: string): boolean =>
    name !== '' &&
    dtype(name) === dtype(output) &&
    node.inputs.indexOf(name) === node.inputs.lastIndexOf(name);
  if (inPlace !== 'sameShape') return inPlace.map((input) => node.inputs[input] ?? '').filter(fits);
  const wanted = shapeOf(output).join();
  return node.inputs.filter((name) => fits(name) && shapeOf(name).join() === wanted);
}

/** Memory that a node's kernel takes while it runs on so many rows, one size for each block. */
export function temporaryBytes(node: ProgramNode, program: Program, rows: number): number[] {
  const bytes = programOperator<OpName>(node.op).temporaries;
  return bytes ? bytes(nodeAt(program, node, rows)) : [];
}
