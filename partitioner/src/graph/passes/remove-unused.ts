import type { Program, ProgramNode } from '../program.js';

/** Leaves out operations whose results nobody reads, and values that no operation names. */
export function removeUnusedOperations(program: Program): boolean {
  const wanted = new Set(program.outputs);
  const kept: ProgramNode[] = [];
  for (const node of program.nodes.toReversed()) {
    if (!node.outputs.some((output) => wanted.has(output))) continue;
    kept.push(node);
    for (const input of node.inputs) wanted.add(input);
  }
  const changed = kept.length !== program.nodes.length;
  program.nodes = kept.reverse();
  for (const node of program.nodes) for (const output of node.outputs) wanted.add(output);
  for (const input of program.inputs) wanted.add(input);
  for (const name of program.values.keys()) if (!wanted.has(name)) program.values.delete(name);
  return changed;
}
