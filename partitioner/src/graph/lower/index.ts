import { PartitionError, type Problem } from '../../error.js';
import { unsupportedError } from '../../problems.js';
import { UnsupportedType } from '../../onnx/read-tensor.js';
import { modelOperators } from '../../operators/index.js';
import { makeNode, type Graph, type GraphNode } from '../graph.js';
import type { Program } from '../program.js';
import type { Facts } from '../shapes/facts.js';
import { inferShapes } from '../shapes/infer.js';
import { inputSizes } from '../shapes/open-dimensions.js';
import { PlanSizes } from '../shapes/plan-sizes.js';
import { replaceInputs } from '../passes/uses.js';
import { refusalOf } from './never-run.js';
import { lowerWidened } from './widen.js';
import { Lowering, UnknownValue, UnsupportedNode } from './lowering.js';

/** Nodes whose operator is not among {@link modelOperators}. */
export function unsupportedOperators(graph: Graph): Problem[] {
  return graph.nodes
    .filter((node) => !modelOperators.has(node.op))
    .map((node) => ({
      node: node.name,
      op: node.op,
      ...(node.refused ?? refusalOf(node.op)),
    }));
}

/** What cannot be run of a graph of which no sizes are known: operators, and forms that need no sizes. */
export function problemsWithoutSizes(graph: Graph): readonly Problem[] {
  try {
    lowerGraph(graph, inferShapes(graph, inputSizes(graph)).facts, new PlanSizes({}));
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
  const unknown: Problem[] = [];
  const lowering = new Lowering(graph, facts, sizes);
  for (const { name } of graph.inputs) lowering.import(name);
  for (const node of graph.nodes) {
    const operator = modelOperators.get(node.op);
    if (!operator) continue;
    const { lower, types } = operator;
    try {
      if (types.includes('any')) lower(node, lowering);
      else lowerWidened(node, lowering, lower);
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
