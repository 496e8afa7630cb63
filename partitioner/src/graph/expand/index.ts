import { foldConstants } from '../fold-constants.js';
import type { Graph, GraphNode } from '../graph.js';
import { inferShapes } from '../shapes/infer.js';
import { inputSizes } from '../shapes/open-dimensions.js';
import { takeBoth, takeBranch } from './branches.js';
import { inlineFunctions } from './functions.js';
import { Inliner } from './inline.js';
import { unrollLoop, unrollScan } from './loops.js';

const controlled: ReadonlySet<string> = new Set(['If', 'Loop', 'Scan']);

/** Whether a node is taken apart, or may be, before others are looked at: it is no operator that workers lack. */
export function isExpandable(graph: Graph, { op }: { op: string }): boolean {
  return controlled.has(op) || graph.functions?.has(op) === true;
}

function isControl(node: GraphNode): boolean {
  return controlled.has(node.op) && node.refused === undefined;
}

/** Takes apart what is known without running the model: whether anything was. */
function expandKnown(graph: Graph): boolean {
  if (!graph.nodes.some(isControl)) return false;
  const { facts } = inferShapes(graph, inputSizes(graph));
  const inliner = new Inliner(graph);
  const factsOf = (name: string) => facts.get(name);
  return inliner.each((node) => {
    if (!isControl(node) || node.inputs.some((name) => name !== '' && !facts.has(name))) {
      return false;
    }
    if (node.op === 'Loop') return unrollLoop(inliner, node, factsOf);
    if (node.op === 'Scan') return unrollScan(inliner, node, factsOf);
    const [condition] = facts.get(node.inputs[0]!)?.values ?? [];
    return typeof condition === 'number' && takeBranch(inliner, node, condition !== 0);
  });
}

/** Takes apart every If that is left. */
function expandOpen(graph: Graph): boolean {
  const inliner = new Inliner(graph);
  return inliner.each((node) => node.op === 'If' && isControl(node) && takeBoth(inliner, node));
}

/**
 * Makes one list of nodes of a graph: functions are written out at their calls; of an If whose condition is
 * known the branch that is taken, of others both, with a Select of their results; loops step by step, where
 * their number is known. What depends on constants alone is computed on the way.
 *
 * @param folder for intermediate files
 * @param canRun whether workers have an operator, as in {@link foldConstants}
 */
export async function expandGraph(
  graph: Graph,
  folder: string,
  canRun: (op: string) => boolean,
): Promise<void> {
  do {
    inlineFunctions(graph);
    await foldConstants(graph, folder, canRun);
  } while (expandKnown(graph) || expandOpen(graph));
}
