import type { Program } from '../graph/program.js';

/**
 * Which values are alive at each cut of a program. Cut `i` lies before node `i`; cut 0 is the
 * program's beginning, cut `nodes.length` its end.
 */
export interface Liveness {
  /** Values that pass each cut, in the order in which they came to be. */
  crossing: readonly (readonly string[])[];
}

/** A value passes a cut when it exists before it and is read, or given out, after it. */
export function liveness(program: Program): Liveness {
  const count = program.nodes.length;
  const born = new Map<string, number>();
  const lastRead = new Map<string, number>();
  for (const input of program.inputs) born.set(input, 0);
  program.nodes.forEach((node, index) => {
    for (const input of node.inputs) lastRead.set(input, index);
    for (const output of node.outputs) if (output !== '') born.set(output, index + 1);
  });
  for (const output of program.outputs) lastRead.set(output, count);
  const crossing: string[][] = Array.from({ length: count + 1 }, () => []);
  for (const [name, from] of born) {
    const until = lastRead.get(name) ?? -1;
    for (let cut = from; cut <= until; cut++) crossing[cut]!.push(name);
  }
  crossing[0] = [...program.inputs];
  crossing[count] = [...program.outputs];
  return { crossing };
}
