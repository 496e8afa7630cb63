import { Activation, type ActivationName, type Epilogue } from '@canopy/protocol';
import type { Program, ProgramNode } from '../program.js';
import { ProgramUses } from './uses.js';

/** The epilogue with one more step taken in; undefined where the step does not fit any more. */
function extended(before: Epilogue, step: ProgramNode): Epilogue | undefined {
  if (step.op !== 'Unary') return undefined;
  const { kind, alpha, beta } = step.attributes;
  if (kind === 'affine') {
    return { ...before, scale: before.scale * alpha, shift: before.shift * alpha + beta };
  }
  if (!(kind in Activation) || kind === 'none') return undefined;
  const untouched = before.activation === 'none' && before.scale === 1 && before.shift === 0;
  return untouched ? { ...before, activation: kind as ActivationName, alpha, beta } : undefined;
}

/**
 * An activation, and a scale and shift after it, become the epilogue of the Linear, Conv,
 * DepthwiseConv or Binary whose result they change.
 */
export function fuseEpilogues(program: Program): boolean {
  let changed = false;
  let uses = new ProgramUses(program);
  for (const node of [...program.nodes]) {
    const before = uses.producer(node.op === 'Unary' ? node.inputs[0] : undefined);
    if (!before || uses.onlyReader(before.outputs[0]!) !== node) continue;
    if (!takesEpilogue(program, before)) continue;
    const epilogue = extended(before.attributes.epilogue, node);
    if (!epilogue) continue;
    before.attributes = { ...before.attributes, epilogue };
    before.outputs = node.outputs;
    program.nodes.splice(program.nodes.indexOf(node), 1);
    uses = new ProgramUses(program);
    changed = true;
  }
  return changed;
}

type WithEpilogue = Extract<ProgramNode, { attributes: { epilogue: Epilogue } }>;

function takesEpilogue(program: Program, node: ProgramNode): node is WithEpilogue {
  if (!('epilogue' in node.attributes)) return false;
  return program.values.get(node.outputs[0]!)!.dtype === 'float32';
}
