import { intConstant, numberConstant } from '../constant.js';
import {
  graphAttribute,
  intAttribute,
  intsAttribute,
  type Attribute,
  type Body,
  type GraphNode,
} from '../graph.js';
import type { Dim } from '../shapes/dim.js';
import { fromFront, type Facts } from '../shapes/facts.js';
import type { Inliner } from './inline.js';

/** Most steps that are written out, and most nodes that they make. */
export const mostSteps = 1024;
const mostNodes = 20_000;

export type FactsOf = (name: string) => Facts | undefined;

const int = (value: number): Attribute => ({ kind: 'int', value });

function refuse(node: GraphNode, why: string, advice: string): false {
  node.refused = { why, advice };
  return false;
}

/** Whether so many steps are written out; else the node is refused. */
function fits(node: GraphNode, body: Body, steps: number): boolean {
  if (steps <= mostSteps && steps * body.nodes.length <= mostNodes) return true;
  const size = `${steps} steps of ${body.nodes.length} nodes`;
  const most = `at most ${mostSteps} steps and ${mostNodes} nodes`;
  return refuse(node, `takes ${size}; ${most} are written out`, 'export with fewer steps');
}

/** The one number of a value, where it follows from sizes and constants. */
function numberOf(facts: Facts | undefined): number | undefined {
  const [value] = facts?.values?.length === 1 ? facts.values : [];
  return typeof value === 'number' ? value : undefined;
}

/** Whether a loop that goes on at first goes on at every step. */
function goesOn(inliner: Inliner, body: Body): boolean {
  let name = body.outputs[0]!;
  for (;;) {
    if (name === body.inputs[1]?.name) return true;
    const constant = body.constants.get(name) ?? inliner.graph.constants.get(name);
    if (constant) return constant.read(0, 1)[0] !== 0;
    const made = body.nodes.find(({ outputs }) => outputs.includes(name));
    if (made?.op !== 'Identity') return false;
    name = made.inputs[0]!;
  }
}

/** The results of all steps, one behind the other along a new axis. */
function stack(
  inliner: Inliner,
  node: GraphNode,
  parts: readonly string[],
  axis: number,
  output: string,
): void {
  const opset = inliner.graph.opsets.get('') ?? 1;
  const axes = opset < 13 ? '' : inliner.constant(`${node.name}/axis`, intConstant([1], [axis]));
  const wide = parts.map((part) =>
    inliner.add(
      'Unsqueeze',
      `${node.name}/step`,
      axes === '' ? [part] : [part, axes],
      axes === '' ? { axes: { kind: 'ints', value: [axis] } } : {},
    ),
  );
  const all =
    wide.length === 1
      ? wide[0]!
      : inliner.add('Concat', `${node.name}/steps`, wide, { axis: int(axis) });
  inliner.rename(all, output);
}

/** Writes a Loop out, step by step, where it is known how many it takes; else it is refused. */
export function unrollLoop(inliner: Inliner, node: GraphNode, factsOf: FactsOf): boolean {
  const body = graphAttribute(node, 'body');
  const [count = '', condition = '', ...first] = node.inputs;
  if (!body) return false;
  const begins = condition === '' ? 1 : numberOf(factsOf(condition));
  const given = begins === 0 ? 0 : count === '' ? undefined : numberOf(factsOf(count));
  if (given === undefined || begins === undefined || (given > 0 && !goesOn(inliner, body))) {
    return refuse(
      node,
      'runs as often as its data say, which only shows when it runs',
      'export with a fixed number of steps and without an end before it',
    );
  }
  const steps = Math.max(0, given);
  const carriedCount = body.inputs.length - 2;
  const scans = node.outputs.slice(carriedCount);
  if (steps === 0 && scans.some((output) => output !== '')) {
    return refuse(node, 'takes no step, and gives out the results of all', 'leave it out');
  }
  if (!fits(node, body, steps)) return false;
  const yes = inliner.constant(
    `${node.name}/condition`,
    numberConstant('bool', body.inputs[1]?.rank === 1 ? [1] : [], [1]),
  );
  let carried = Array.from({ length: carriedCount }, (_, index) => first[index] ?? '');
  const parts: string[][] = scans.map(() => []);
  for (let step = 0; step < steps; step++) {
    const turn = inliner.constant(
      `${node.name}/turn`,
      intConstant(body.inputs[0]?.rank === 1 ? [1] : [], [step]),
    );
    const results = inliner.body(body, `${node.name}/${step}`, [turn, yes, ...carried]);
    carried = results.slice(1, 1 + carriedCount);
    results.slice(1 + carriedCount).forEach((name, index) => parts[index]?.push(name));
  }
  carried.forEach((name, index) => {
    inliner.rename(name, node.outputs[index] ?? '');
  });
  scans.forEach((output, index) => {
    if (output !== '') stack(inliner, node, parts[index]!, 0, output);
  });
  return true;
}

/** Writes a Scan out, step by step, where the length of its sequences is known; else it is refused. */
export function unrollScan(inliner: Inliner, node: GraphNode, factsOf: FactsOf): boolean {
  const body = graphAttribute(node, 'body');
  if (!body) return false;
  if ((inliner.graph.opsets.get('') ?? 1) < 9) {
    return refuse(node, 'is of operator set 8', 'export in operator set 9 or later');
  }
  const scanCount = intAttribute(node, 'num_scan_inputs', 1);
  const stateCount = node.inputs.length - scanCount;
  const sequences = node.inputs.slice(stateCount);
  const list = (name: string, index: number): number => intsAttribute(node, name)?.[index] ?? 0;
  const places = sequences.map((name, index) => {
    const dims = factsOf(name)?.dims;
    if (!dims) return undefined;
    const axis = fromFront(list('scan_input_axes', index), dims.length);
    return {
      name,
      axis,
      length: dims[axis],
      backwards: list('scan_input_directions', index) === 1,
    };
  });
  const [steps] = places.map((place): Dim | undefined => place?.length);
  const known = places.every((place) => place !== undefined);
  if (!known || typeof steps !== 'number' || steps < 1) {
    const why =
      steps === undefined
        ? 'takes as many steps as its data say'
        : `takes as many steps as a sequence is long, ${String(steps)}`;
    return refuse(node, why, 'export with sequences of a fixed length');
  }
  if (!fits(node, body, steps)) return false;
  let states = node.inputs.slice(0, stateCount);
  const parts: string[][] = node.outputs.slice(stateCount).map(() => []);
  for (let step = 0; step < steps; step++) {
    const pieces = places.map(({ name, axis, backwards }) => {
      const at = backwards ? steps - 1 - step : step;
      const index = inliner.constant(`${node.name}/turn`, intConstant([], [at]));
      return inliner.add('Gather', `${node.name}/piece`, [name, index], { axis: int(axis) });
    });
    const results = inliner.body(body, `${node.name}/${step}`, [...states, ...pieces]);
    states = results.slice(0, stateCount);
    results.slice(stateCount).forEach((name, index) => parts[index]?.push(name));
  }
  states.forEach((name, index) => {
    inliner.rename(name, node.outputs[index] ?? '');
  });
  node.outputs.slice(stateCount).forEach((output, index) => {
    if (output === '') return;
    const own = parts[index]!;
    const inOrder = list('scan_output_directions', index) === 1 ? own.toReversed() : own;
    stack(inliner, node, inOrder, list('scan_output_axes', index), output);
  });
  return true;
}
