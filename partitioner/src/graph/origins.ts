import type { Problem } from '../error.js';
import type { Graph, GraphNode } from './graph.js';

/** A graph and what of it cannot be run. */
export interface Judged {
  graph: Graph;
  problems: readonly Problem[];
}

/** Nodes of the file that compute what a node of the cleaned graph computes, from the same inputs. */
function origins(node: GraphNode, producers: ReadonlyMap<string, GraphNode>): GraphNode[] {
  const given = new Set(node.inputs);
  const found = new Set<GraphNode>();
  const wanted = [...node.outputs];
  for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
    const producer = producers.get(name);
    if (!producer || found.has(producer)) continue;
    found.add(producer);
    wanted.push(...producer.inputs.filter((input) => !given.has(input)));
  }
  return [...found];
}

/**
 * Problems of a graph after onnxruntime's clean-up, told of the nodes of the file: fused operators are
 * none that its owner knows. Where a problem's node is not in the file, the problems of the nodes that
 * it was made of are taken, or its own reason with their names.
 */
export function inFileTerms(cleaned: Judged, file: Judged): readonly Problem[] {
  const producers = new Map<string, GraphNode>();
  for (const node of file.graph.nodes) {
    for (const output of node.outputs) producers.set(output, node);
  }
  const inFile = (problem: Problem): Problem[] => {
    const node = cleaned.graph.nodes.find(
      ({ name, op }) => name === problem.node && op === problem.op,
    );
    if (!node) return [problem];
    const parts = origins(node, producers);
    const last = producers.get(node.outputs[0] ?? '');
    if (!last) return [];
    if (last.op === node.op) return [{ ...problem, node: last.name }];
    const known = file.problems.filter((candidate) =>
      parts.some(({ name, op }) => name === candidate.node && op === candidate.op),
    );
    if (known.length > 0) return known;
    const names = parts.map(({ op, name }) => `${op} "${name}"`).join(', ');
    return [{ ...problem, node: last.name, op: last.op, why: `${problem.why} (of ${names})` }];
  };
  const told = cleaned.problems.map(inFile);
  // A value that onnxruntime has renamed leads nowhere: then all of the file's problems are told.
  return told.every((problems) => problems.length > 0) ? told.flat() : file.problems;
}
