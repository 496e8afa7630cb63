import { PartitionError } from '../../error.js';
import { makeNode, type Graph } from '../graph.js';
import type { Program } from '../program.js';
import type { Facts } from '../shapes/facts.js';
import type { PlanSizes } from '../shapes/plan-sizes.js';
import { replaceInputs } from '../passes/uses.js';
import { convolution } from './convolution.js';
import { elementwise } from './elementwise.js';
import { Lowering, UnsupportedNode, type Lower } from './lowering.js';
import { matrix } from './matrix.js';
import { normalization } from './normalization.js';
import { shape } from './shape.js';

/** Every operator of a model that can be run, by its name. */
export const supported: Readonly<Record<string, Lower>> = {
  ...elementwise,
  ...convolution,
  ...matrix,
  ...normalization,
  ...shape,
};

/** Nodes whose operator is not among {@link supported}. */
export function unsupportedOperators(graph: Graph): Problem[] {
  return graph.nodes
    .filter((node) => !(node.op in supported))
    .map((node) => ({
      node: node.name,
      op: node.op,
      why: 'this operator is not supported',
      advice: 'replace it by supported operators when exporting',
    }));
}

/** A node that cannot be run. */
export interface Problem {
  node: string;
  op: string;
  why: string;
  advice: string;
}

/** The error that lists them all. */
export function unsupportedError(problems: readonly Problem[]): PartitionError {
  const lines = problems.map(({ node, op, why, advice }) => `  ${op} "${node}": ${why}; ${advice}`);
  return new PartitionError(
    'unsupported',
    `${problems.length} node${problems.length === 1 ? '' : 's'} of the model cannot be run:\n${lines.join('\n')}`,
  );
}

/**
 * Turns a graph of standard operators into a program of worker operations: images channels-last
 * between transposes, constant matrices and filters as weights to pack.
 *
 * @param facts types and sizes of all values
 * @param sizes to plan with, for costs alone: the program runs at all sizes
 *
 * Throws {@link PartitionError} `unsupported`, which lists every node that cannot be run.
 */
export function lowerGraph(
  graph: Graph,
  facts: ReadonlyMap<string, Facts>,
  sizes: PlanSizes,
): Program {
  const problems = unsupportedOperators(graph);
  const lowering = new Lowering(graph, facts, sizes);
  for (const { name } of graph.inputs) lowering.import(name);
  for (const node of graph.nodes) {
    const lower = supported[node.op];
    if (!lower) continue;
    try {
      lower(node, lowering);
    } catch (error) {
      if (!(error instanceof UnsupportedNode)) throw error;
      problems.push({ node: node.name, op: node.op, why: error.why, advice: error.advice });
    }
  }
  if (problems.length > 0) throw unsupportedError(problems);
  giveOutConstants(graph, lowering);
  return lowering.program;
}

/**
 * An output that is a constant gets a node of its own to make it, under the output's name: the constant
 * takes another name. An output that is an input passes through.
 */
function giveOutConstants(graph: Graph, lowering: Lowering): void {
  const { program } = lowering;
  for (const name of new Set(program.outputs)) {
    const constant = graph.constants.get(name);
    if (!constant) continue;
    const weight = lowering.weight(`${name}/constant`, { kind: 'plain', constant });
    replaceInputs(program, name, weight);
    program.values.delete(name);
    const node = makeNode('Identity', name, [weight], [name]);
    lowering.temporaryNamed(name, constant);
    lowering.add('Identity', node, [weight], [name], {});
  }
}
