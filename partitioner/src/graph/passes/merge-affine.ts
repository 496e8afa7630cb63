import type { Program, ProgramNodeOf } from '../program.js';
import { replaceNode } from './edit.js';
import { ProgramUses } from './uses.js';

/** An affine step after another becomes one; one that changes nothing becomes Identity. */
export function mergeAffine(program: Program): boolean {
  let changed = false;
  for (const node of [...program.nodes]) {
    if (node.op !== 'Unary' || node.attributes.kind !== 'affine') continue;
    const { alpha, beta } = node.attributes;
    if (alpha === 1 && beta === 0) {
      const { name, inputs, outputs } = node;
      replaceNode(program, node, { op: 'Identity', name, inputs, outputs, attributes: {} });
      changed = true;
      continue;
    }
    const uses = new ProgramUses(program);
    const before = uses.producer(node.inputs[0]);
    if (!before || uses.onlyReader(before.outputs[0]!) !== node) continue;
    const merged = mergedInto(before, alpha, beta);
    if (!merged) continue;
    before.attributes = merged;
    before.outputs = node.outputs;
    program.nodes.splice(program.nodes.indexOf(node), 1);
    changed = true;
  }
  return changed;
}

/** Attributes of an affine or matrix product with `alpha * result + beta` taken in. */
function mergedInto(
  node: Program['nodes'][number],
  alpha: number,
  beta: number,
): ProgramNodeOf<'Unary'>['attributes'] | ProgramNodeOf<'MatMul'>['attributes'] | undefined {
  if (node.op === 'Unary' && node.attributes.kind === 'affine') {
    const first = node.attributes;
    return { kind: 'affine', alpha: first.alpha * alpha, beta: first.beta * alpha + beta };
  }
  if (node.op === 'MatMul' && beta === 0) {
    return { ...node.attributes, alpha: node.attributes.alpha * alpha };
  }
  return undefined;
}
