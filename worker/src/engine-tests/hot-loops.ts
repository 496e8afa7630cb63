import { readFileSync } from 'node:fs';

type Cost = number | { wasm32: number };
const costs = JSON.parse(
  readFileSync(
    new URL('../../../local-ic/src/costs/instruction-costs.json', import.meta.url),
    'utf8',
  ),
) as Record<string, Cost>;

/** A loop of a function: what one turn costs, inner loops counted as one turn each. */
export interface HotLoop {
  /** Instructions of one turn without those of inner loops. */
  own: number;
  inner: HotLoop[];
}

function costOf(line: string): number {
  const cost = costs[line.split(' ', 1)[0]!];
  return cost === undefined ? 0 : typeof cost === 'number' ? cost : cost.wasm32;
}

/**
 * The loops of every function of a module's text whose name begins with `name`, outermost first;
 * a name with a comma stands in quotes there.
 * Branches within a loop count as taken together, so the figures are exact only for loops without.
 */
export function hotLoops(text: string, name: string): HotLoop[] {
  const found: HotLoop[] = [];
  let inside = false;
  let blocks: (HotLoop | undefined)[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith(' (func ')) {
      inside = line.replace('$"', '$').startsWith(` (func $assembly/${name}`);
      blocks = [];
      continue;
    }
    if (!inside) continue;
    const instruction = line.trim();
    const [word] = instruction.split(' ', 1);
    const around = blocks.findLast((block) => block !== undefined);
    if (word === 'end') blocks.pop();
    else if (word === 'loop') {
      const loop: HotLoop = { own: 0, inner: [] };
      (around ? around.inner : found).push(loop);
      blocks.push(loop);
    } else {
      if (around) around.own += costOf(instruction);
      if (word === 'block' || word === 'if') blocks.push(undefined);
    }
  }
  return found;
}
