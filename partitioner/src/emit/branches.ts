import type { OpAttributes } from '@canopy/protocol';
import type { ProgramNode } from '../graph/program.js';

/** A node of a program, or one that leaves some of those behind it out. */
export type EmittedNode =
  | ProgramNode
  | {
      op: 'Branch';
      name: string;
      inputs: string[];
      outputs: string[];
      attributes: OpAttributes['Branch'];
    };

/** A condition under which a node is needed. */
interface Guard {
  condition: string;
  when: boolean;
}

function isSame(a: Guard, b: Guard): boolean {
  return a.condition === b.condition && a.when === b.when;
}

/** The conditions that two ways to need a value have in common, the outermost first. */
function common(a: readonly Guard[], b: readonly Guard[]): readonly Guard[] {
  const length = a.findIndex((guard, index) => !b[index] || !isSame(guard, b[index]));
  return length < 0 ? a : a.slice(0, length);
}

/**
 * Under which conditions each node is needed, the outermost first: what only one side of a Select reads is
 * needed only where that side is taken. Conditions that are not known yet where the node stands do not count.
 *
 * @param nodes in the order they run
 * @param outputs values that are needed in any case
 */
export function guardsOf(
  nodes: readonly ProgramNode[],
  outputs: readonly string[],
): (readonly Guard[])[] {
  const guards: (readonly Guard[])[] = nodes.map(() => []);
  if (!nodes.some(({ op }) => op === 'Select')) return guards;
  const born = new Map<string, number>();
  nodes.forEach((node, index) => {
    for (const output of node.outputs) born.set(output, index);
  });
  const needed = new Map<string, readonly Guard[]>(outputs.map((name) => [name, []]));
  const need = (name: string, path: readonly Guard[]): void => {
    if (name === '') return;
    const before = needed.get(name);
    needed.set(name, before ? common(before, path) : path);
  };
  for (let index = nodes.length - 1; index >= 0; index--) {
    const node = nodes[index]!;
    const ways = node.outputs.flatMap((name) => {
      const path = needed.get(name);
      return path ? [path] : [];
    });
    const path = ways.length === 0 ? [] : ways.reduce(common);
    const late = path.findIndex(({ condition }) => (born.get(condition) ?? -1) >= index);
    const own = late < 0 ? path : path.slice(0, late);
    guards[index] = own;
    node.inputs.forEach((name, input) => {
      const chosen = node.op === 'Select' && input > 0;
      need(name, chosen ? [...own, { condition: node.inputs[0]!, when: input === 1 }] : own);
    });
  }
  return guards;
}

/** The nodes of a stage with Branch nodes in front of those that are not always needed. */
export function withBranches(
  nodes: readonly ProgramNode[],
  outputs: readonly string[],
): EmittedNode[] {
  const guards = guardsOf(nodes, outputs);
  const emit = (start: number, end: number, depth: number): EmittedNode[] => {
    const emitted: EmittedNode[] = [];
    for (let at = start; at < end;) {
      const guard = guards[at]![depth];
      if (!guard) {
        emitted.push(nodes[at++]!);
        continue;
      }
      let until = at + 1;
      while (until < end && guards[until]![depth] && isSame(guards[until]![depth]!, guard)) until++;
      const within = emit(at, until, depth + 1);
      emitted.push({
        op: 'Branch',
        name: nodes[at]!.name,
        inputs: [guard.condition],
        outputs: [],
        attributes: { when: guard.when, nodes: within.length },
      });
      emitted.push(...within);
      at = until;
    }
    return emitted;
  };
  return emit(0, nodes.length, 0);
}
