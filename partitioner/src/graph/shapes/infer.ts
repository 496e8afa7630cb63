import type { DTypeName } from '@canopy/protocol';
import { UnsupportedType } from '../../onnx/read-tensor.js';
import { modelOperators } from '../../operators/index.js';
import type { Graph, GraphNode } from '../graph.js';
import { symbol, symbolsOf, type Dim } from './dim.js';
import { NotDerivable, type Facts } from './facts.js';
import { Operation, type Condition } from './operation.js';
import { shapeRules } from './rules/index.js';
import { constantFacts } from './rules/shape.js';

/** Type and number of dimensions of a value, of a run of the model. */
export interface Observed {
  dtype: DTypeName;
  rank: number;
}

/** What is known of all values of a graph. */
export interface Inference {
  facts: ReadonlyMap<string, Facts>;
  /** Named sizes that only running the model tells: each is a dimension of a value. */
  open: ReadonlyMap<string, { value: string; axis: number }>;
  /** What the model needs of its sizes. */
  conditions: readonly Condition[];
  /** Nodes of which not even the number of dimensions is known without running the model. */
  unknown: readonly GraphNode[];
}

/**
 * Types and sizes of all values of a graph, without running it; sizes are expressions over the named
 * sizes of the inputs.
 *
 * @param inputs sizes of each input, by its name
 * @param observed of a run, for nodes whose results depend on data; without it they, and what is made of
 *   them, have no facts
 */
export function inferShapes(
  graph: Graph,
  inputs: ReadonlyMap<string, readonly Dim[]>,
  observed: ReadonlyMap<string, Observed> = new Map(),
): Inference {
  const facts = new Map<string, Facts>();
  const open = new Map<string, { value: string; axis: number }>();
  const unknown: GraphNode[] = [];
  const conditions: Condition[] = [];
  const names = new Set([...inputs.values()].flat().flatMap((dim) => [...symbolsOf(dim)]));

  const openSize = (value: string, axis: number): Dim => {
    let name = `${value}_${axis}`;
    while (names.has(name)) name += '_';
    names.add(name);
    open.set(name, { value, axis });
    return symbol(name);
  };
  const factsOf = (name: string): Facts | undefined => {
    const known = facts.get(name);
    const constant = known ? undefined : graph.constants.get(name);
    if (!constant) return known;
    const made = constantFacts(constant);
    facts.set(name, made);
    return made;
  };

  for (const { name, dtype } of graph.inputs) {
    facts.set(name, { dtype, dims: inputs.get(name) ?? [] });
  }
  for (const name of graph.constants.keys()) factsOf(name);

  const opset = graph.opsets.get('') ?? 1;
  for (const node of graph.nodes) {
    const around = { opset, factsOf, constants: graph.constants, conditions, openSize };
    const results = resultsOf(node, new Operation(node, around));
    for (const [index, output] of node.outputs.entries()) {
      if (output === '') continue;
      const seen = observed.get(output);
      const result = results[index] ?? (seen && openFacts(output, seen, openSize));
      if (result) facts.set(output, result);
    }
    if (node.outputs.some((output) => output !== '' && !facts.has(output))) unknown.push(node);
  }
  return { facts, open, conditions, unknown };
}

/** What a node's rule says; nothing where it has none or depends on data. */
function resultsOf(node: GraphNode, op: Operation): (Facts | undefined)[] {
  const rule = modelOperators.get(node.op)?.shape ?? shapeRules.get(node.op);
  if (!rule) return [];
  try {
    return rule(op);
  } catch (error) {
    // A type that workers do not have is told when the node is lowered.
    if (error instanceof NotDerivable || error instanceof UnsupportedType) return [];
    throw error;
  }
}

function openFacts(
  value: string,
  { dtype, rank }: Observed,
  openSize: (value: string, axis: number) => Dim,
): Facts {
  return { dtype, dims: Array.from({ length: rank }, (_, axis) => openSize(value, axis)) };
}
