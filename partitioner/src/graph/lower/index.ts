import { PartitionError, type Problem } from '../../error.js';
import { unsupportedError } from '../../problems.js';
import { UnsupportedType } from '../../onnx/read-tensor.js';
import { makeNode, type Graph, type GraphNode } from '../graph.js';
import type { Measured } from '../measure.js';
import type { Program } from '../program.js';
import { convolution } from './convolution.js';
import { elementwise } from './elementwise.js';
import { Lowering, UnknownValue, UnsupportedNode, type Lower } from './lowering.js';
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

/** What cannot be run of a graph of which no sizes are known: operators, and forms that need no sizes. */
export function problemsWithoutSizes(graph: Graph): readonly Problem[] {
  try {
    lowerGraph(graph, new Map());
  } catch (error) {
    if (error instanceof PartitionError && error.problems) return error.problems;
    throw error;
  }
  return [];
}

/**
 * Turns a graph of standard operators into a program of worker operations: images channels-last
 * between transposes, constant matrices and filters as weights to pack.
 *
 * Throws {@link PartitionError} `unsupported`, which lists every node that cannot be run.
 */
export function lowerGraph(graph: Graph, measured: ReadonlyMap<string, Measured>): Program {
  const problems = unsupportedOperators(graph);
  const unknown: Problem[] = [];
  const lowering = new Lowering(graph, measured);
  for (const input of graph.inputs) {
    const known = measured.get(input.name)!;
    lowering.program.values.set(input.name, { name: input.name, ...known });
  }
  for (const node of graph.nodes) {
    const lower = supported[node.op];
    if (!lower) continue;
    try {
      lower(node, lowering);
    } catch (error) {
      (error instanceof UnknownValue ? unknown : problems).push(problemOf(node, error));
    }
  }
  if (problems.length > 0) throw unsupportedError(problems);
  if (unknown.length > 0) throw unsupportedError(unknown);
  giveOutConstants(graph, lowering);
  return lowering.program;
}

/** Why a node cannot be run, by what lowering it has thrown. */
function problemOf(node: GraphNode, error: unknown): Problem {
  if (error instanceof UnsupportedType) return error.problem;
  if (!(error instanceof UnsupportedNode)) throw error;
  return { node: node.name, op: node.op, why: error.why, advice: error.advice };
}

/** An output that is a constant, or an input as it is, gets a node of its own to make it. */
function giveOutConstants(graph: Graph, lowering: Lowering): void {
  const { program } = lowering;
  const computed = new Set(program.nodes.flatMap((node) => node.outputs));
  program.outputs = program.outputs.map((name) => {
    if (computed.has(name)) return name;
    const copy = lowering.temporary(`${name}/output`, lowering.dtype(name), lowering.shapes(name));
    lowering.add('Identity', makeNode('Identity', name, [name], [copy]), [name], [copy], {});
    return copy;
  });
}
