import type { Program } from '../program.js';
import { ProgramUses, replaceInputs } from './uses.js';

/**
 * Leaves out Identity, and Transpose that moves nothing. One whose result is an output of the program
 * stays, because inputs, constants and outputs keep their names.
 */
export function removeIdentities(program: Program): boolean {
  let changed = false;
  for (const node of [...program.nodes]) {
    const nothing =
      node.op === 'Identity' ||
      (node.op === 'Transpose' &&
        node.attributes.permutation.every((axis, index) => axis === index));
    if (!nothing) continue;
    const [input, output] = [node.inputs[0]!, node.outputs[0]!];
    if (program.outputs.includes(output)) {
      const uses = new ProgramUses(program);
      const producer = uses.producer(input);
      const takesOver = producer && uses.onlyReader(input) === node;
      if (!takesOver) continue;
      producer.outputs = producer.outputs.map((name) => (name === input ? output : name));
    } else replaceInputs(program, output, input);
    program.nodes.splice(program.nodes.indexOf(node), 1);
    changed = true;
  }
  return changed;
}
