import type { Program, ProgramNode } from '../program.js';
import { ProgramUses } from './uses.js';

/** A Transpose of a Transpose becomes one of the first one's input. */
export function mergeTransposes(program: Program): boolean {
  let changed = false;
  const uses = new ProgramUses(program);
  for (const node of program.nodes) {
    if (node.op !== 'Transpose') continue;
    const before = uses.producer(node.inputs[0]);
    if (before?.op !== 'Transpose') continue;
    const first = before.attributes.permutation;
    node.inputs = [before.inputs[0]!];
    node.attributes = { permutation: node.attributes.permutation.map((axis) => first[axis]!) };
    changed = true;
  }
  return changed;
}

/**
 * A Transpose that only moves dimensions of size 1 changes no order of numbers. Before Flatten, and
 * before Reshape to a constant shape that copies no moved dimension, it is left out.
 */
export function skipTransposesOfOnes(program: Program): boolean {
  let changed = false;
  // Who writes a value stays the same.
  const uses = new ProgramUses(program);
  for (const node of program.nodes) {
    if (node.op !== 'Flatten' && node.op !== 'Reshape') continue;
    const before = uses.producer(node.inputs[0]);
    if (before?.op !== 'Transpose' || !keepsOrder(program, before)) continue;
    const { permutation } = before.attributes;
    if (node.op === 'Flatten') {
      // Rows before the axis must be the same rows: the first dimensions stay in place.
      const inPlace = permutation.slice(0, node.attributes.axis).every((axis, at) => axis === at);
      if (!inPlace) continue;
    } else if (!copiesNoMovedDimension(program, node.inputs[1]!, permutation)) continue;
    node.inputs = [before.inputs[0]!, ...node.inputs.slice(1)];
    changed = true;
  }
  return changed;
}

function keepsOrder(
  program: Program,
  transpose: Extract<ProgramNode, { op: 'Transpose' }>,
): boolean {
  const { dims } = program.values.get(transpose.inputs[0]!)!.shapes;
  const moved = transpose.attributes.permutation.filter((axis) => dims[axis] !== 1);
  return moved.every((axis, index) => index === 0 || axis > moved[index - 1]!);
}

/** In the shape of a Reshape, 0 means the input's dimension at that place. */
function copiesNoMovedDimension(
  program: Program,
  shape: string,
  permutation: readonly number[],
): boolean {
  const weight = program.values.get(shape)?.weight;
  if (weight?.kind !== 'plain' || weight.constant.dtype !== 'int64') return false;
  const bytes = weight.constant
    .read(
      0,
      weight.constant.dims.reduce((a, b) => a * b, 8),
    )
    .slice();
  return Array.from(new BigInt64Array(bytes.buffer)).every(
    (size, at) => size !== 0n || permutation[at] === at,
  );
}
