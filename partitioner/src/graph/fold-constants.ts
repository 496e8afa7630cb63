import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { elementCount, type BundleTensor } from '@canopy/protocol';
import { runOnce } from '../onnx/runtime.js';
import { saveOnnx } from '../onnx/save-model.js';
import { constantBytes, fileConstant, memoryConstant, type Constant } from './constant.js';
import { foldedLazily } from './folded-lazily.js';
import { bodiesOf, type Graph, type GraphNode } from './graph.js';

/** Results larger than this stay computed where a few numbers make them: a table is better made than stored. */
const largestElements = 1 << 20;
/** Results have to be so many times as large as what they are made of to count as made of a few numbers. */
const fewTimes = 16;
/** Constants of so many bytes are computed by themselves, so that one of them is in memory at a time. */
const largeBytes = 1 << 20;
/** Operators whose result is not a matter of their inputs alone. */
const changing = new Set([
  'RandomNormal',
  'RandomUniform',
  'RandomNormalLike',
  'RandomUniformLike',
]);

/** Nodes all of whose inputs are constants, or results of such nodes. */
function constantNodes(graph: Graph): GraphNode[] {
  const known = new Set(graph.constants.keys()).add('');
  return graph.nodes.filter((node) => {
    const constant =
      !changing.has(node.op) &&
      node.inputs.every((input) => known.has(input)) &&
      bodiesOf(node).length === 0;
    if (constant) for (const output of node.outputs) known.add(output);
    return constant;
  });
}

function isLarge(tensor: BundleTensor): boolean {
  return elementCount(tensor.dims) > largestElements;
}

/** The result as a constant; a large one in a file. */
function keep({ dtype, dims, data }: BundleTensor, file: string): Constant {
  if (elementCount(dims) <= largestElements) return memoryConstant(dtype, dims, data.slice());
  writeFileSync(file, data);
  return fileConstant(dtype, dims, file, 0);
}

/** Constants that each node is made of, itself or through others of `nodes`. */
function sourcesOf(graph: Graph, nodes: readonly GraphNode[]): Map<GraphNode, Set<string>> {
  const producers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
  const sources = new Map<GraphNode, Set<string>>();
  for (const node of nodes) {
    const own = node.inputs.flatMap((input) => {
      const producer = producers.get(input);
      return producer ? [...sources.get(producer)!] : graph.constants.has(input) ? [input] : [];
    });
    sources.set(node, new Set(own));
  }
  return sources;
}

/** Nodes in parts that are computed one after the other: those with the same large sources together. */
function parts(graph: Graph, sources: ReadonlyMap<GraphNode, ReadonlySet<string>>): GraphNode[][] {
  const isLargeConstant = (name: string): boolean =>
    constantBytes(graph.constants.get(name)!) > largeBytes;
  const groups = new Map<string, GraphNode[]>();
  for (const [node, names] of sources) {
    const key = [...names].filter(isLargeConstant).sort().join('\n');
    groups.set(key, [...(groups.get(key) ?? []), node]);
  }
  return [...groups.values()];
}

/**
 * Computes what depends on constants alone and keeps the results as constants: in onnxruntime, or while
 * they are read where that takes no more than a look at each number. onnxruntime's clean-up leaves
 * little of it but for large weights, which it is not shown; a model that it cannot clean up is full of it.
 *
 * @param folder for intermediate files
 * @param canRun whether workers have the operator: others are computed here however large the result
 * (weights stored as bytes and scales)
 */
export async function foldConstants(
  graph: Graph,
  folder: string,
  canRun: (op: string) => boolean = () => true,
): Promise<void> {
  foldLazily(graph);
  const nodes = constantNodes(graph);
  const sources = sourcesOf(graph, nodes);
  const folded = new Set<GraphNode>();
  for (const part of parts(graph, sources)) {
    // A part's inputs may be results of parts before it.
    await foldPart(graph, withProducers(part, nodes, folded), part, folder, (node, results) => {
      const elements = (name: string): number => elementCount(graph.constants.get(name)!.dims);
      const made = [...sources.get(node)!].reduce((sum, name) => sum + elements(name), 0);
      const stays = results.some(
        (tensor) => isLarge(tensor) && elementCount(tensor.dims) > fewTimes * made,
      );
      if (!canRun(node.op) || !stays) folded.add(node);
      return folded.has(node);
    });
  }
  graph.nodes = graph.nodes.filter((node) => !folded.has(node));
}

/** Constants that are computed while they are read, in place of the nodes that make them. */
function foldLazily(graph: Graph): void {
  graph.nodes = graph.nodes.filter((node) => {
    const constant = foldedLazily(node, graph.constants);
    if (!constant || constantBytes(constant) <= largeBytes) return true;
    graph.constants.set(node.outputs[0]!, constant);
    return false;
  });
}

/** Nodes of a part with those before it that make what it reads and is not stored. */
function withProducers(
  part: readonly GraphNode[],
  nodes: readonly GraphNode[],
  folded: ReadonlySet<GraphNode>,
): GraphNode[] {
  const wanted = new Set(part.flatMap((node) => node.inputs));
  const needed = new Set(part);
  for (const node of nodes.toReversed()) {
    if (folded.has(node)) continue;
    if (!needed.has(node) && !node.outputs.some((output) => wanted.has(output))) continue;
    needed.add(node);
    for (const input of node.inputs) wanted.add(input);
  }
  return nodes.filter((node) => needed.has(node));
}

/** Runs nodes and stores the results of those that `store` says. */
async function foldPart(
  graph: Graph,
  nodes: readonly GraphNode[],
  part: readonly GraphNode[],
  folder: string,
  store: (node: GraphNode, results: readonly BundleTensor[]) => boolean,
): Promise<void> {
  const computed = part.flatMap((node) => node.outputs).filter((output) => output !== '');
  const wanted = new Set(nodes.flatMap((node) => node.inputs));
  const model: Graph = {
    ...graph,
    inputs: [],
    outputs: [],
    nodes: [...nodes],
    constants: new Map([...graph.constants].filter(([name]) => wanted.has(name))),
  };
  const results = await runOnce(saveOnnx(model, folder, 'constants', computed), []);
  for (const node of part) {
    const tensors = node.outputs.flatMap((output) => results.get(output) ?? []);
    if (!store(node, tensors)) continue;
    for (const tensor of tensors) {
      const file = join(folder, `folded-${graph.constants.size}.bin`);
      graph.constants.set(tensor.name, keep(tensor, file));
    }
  }
}
