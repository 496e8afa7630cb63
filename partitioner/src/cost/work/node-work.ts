import type { OpName } from '@canopy/protocol';
import { shapeAt, type Program, type ProgramNode } from '../../graph/program.js';
import { programOperator } from '../../operators/index.js';
import type { NodeAt } from '../../operators/operator.js';
import type { Work } from './work.js';

/** A node at the sizes of so many rows. */
export function nodeAt(program: Program, node: ProgramNode, rows: number): NodeAt<OpName> {
  const shape = (name: string): readonly number[] =>
    name === '' ? [] : shapeAt(program.values.get(name)!.shapes, rows);
  return {
    attributes: node.attributes,
    inputs: node.inputs.map(shape),
    outputs: node.outputs.map(shape),
    dtypes: node.inputs.map((name) => program.values.get(name)?.dtype),
  };
}

/** Multiply-adds of a node on so many rows; 0 for operations that are none. */
export function multiplyAdds(program: Program, node: ProgramNode, rows: number): number {
  const count = programOperator<OpName>(node.op).multiplyAdds;
  return count ? count(nodeAt(program, node, rows)) : 0;
}

/**
 * What a node does on so many rows: the operator's own steps, then its kernels.
 *
 * @param inPlace whether its first input is needed by no one else, so that its buffer can be taken over
 */
export function nodeWork(
  program: Program,
  node: ProgramNode,
  rows: number,
  inPlace = true,
): Work[] {
  const kernels = programOperator<OpName>(node.op).work(nodeAt(program, node, rows), inPlace);
  return [{ kernel: `op.${node.op}`, counts: { node: 1 } }, ...kernels];
}
