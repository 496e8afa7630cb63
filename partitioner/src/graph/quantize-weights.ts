import { int4Block } from '@canopy/protocol';
import { addWeight } from './passes/edit.js';
import type { MatrixWeight, Program, Weight } from './program.js';

/** How the matrices of products are stored. */
export const weightTypes = ['f32', 'int8', 'int4'] as const;
export type WeightType = (typeof weightTypes)[number];

/** Rows of a column that share an int4 scale. */
export type WeightBlock = 32 | 128;

function integerWeight(matrix: MatrixWeight, type: WeightType, block: WeightBlock): Weight {
  return type === 'int8' ? { kind: 'int8', matrix } : { kind: 'int4', matrix, block };
}

/**
 * Stores the constant matrices of all products in integers, in the program itself. Matrices with fewer
 * rows than a block stay as they are: rounding the depth up would cost more than integers save.
 *
 * @returns names of the matrices that became integers
 */
export function quantizeWeights(
  program: Program,
  type: WeightType,
  block: WeightBlock = int4Block,
): string[] {
  const done = new Map<string, string[]>();
  if (type === 'f32') return [];
  for (const node of program.nodes) {
    if (node.op !== 'Linear') continue;
    const [input, name, bias] = node.inputs as [string, string, string];
    const { weight } = program.values.get(name)!;
    if (weight?.kind !== 'matrix' || weight.k < int4Block) continue;
    let names = done.get(name);
    if (!names) {
      names = [addWeight(program, name, integerWeight(weight, type, block))];
      if (type === 'int8') {
        names.push(addWeight(program, `${name}/scales`, { kind: 'int8-scales', matrix: weight }));
      }
      done.set(name, names);
    }
    const [integers, ...scales] = names as [string, ...string[]];
    node.inputs = [input, integers, bias, ...scales];
  }
  for (const name of done.keys()) program.values.delete(name);
  return [...done.keys()];
}
