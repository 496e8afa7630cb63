import type { DTypeName } from '@canopy/protocol';
import { freshName } from '../graph.js';
import {
  fixedShapes,
  weightDims,
  weightType,
  type Program,
  type ProgramNode,
  type Shapes,
  type Weight,
} from '../program.js';

/** Adds a computed value under a fresh name. */
export function addValue(program: Program, base: string, dtype: DTypeName, shapes: Shapes): string {
  const name = freshName(program.values, base);
  program.values.set(name, { name, dtype, shapes });
  return name;
}

/** Adds a constant under a fresh name. */
export function addWeight(program: Program, base: string, weight: Weight): string {
  const name = freshName(program.values, base);
  const dims = weightDims(weight);
  program.values.set(name, { name, dtype: weightType(weight), shapes: fixedShapes(dims), weight });
  return name;
}

/** Puts nodes in the place of one. */
export function replaceNode(program: Program, node: ProgramNode, ...nodes: ProgramNode[]): void {
  program.nodes.splice(program.nodes.indexOf(node), 1, ...nodes);
}
