import { elementCount } from '@canopy/protocol';
import { runOnce } from '../onnx/runtime.js';
import { saveOnnx } from '../onnx/save-model.js';
import { memoryConstant } from './constant.js';
import type { Graph, GraphNode } from './graph.js';

/** Results larger than this stay computed: a table that a few numbers make is better made than stored. */
const largestElements = 1 << 20;
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
      [...node.attributes.values()].every((attribute) => attribute.kind !== 'subgraph');
    if (constant) for (const output of node.outputs) known.add(output);
    return constant;
  });
}

/**
 * Computes what depends on constants alone, in onnxruntime, and keeps the results as constants.
 * onnxruntime's clean-up leaves little of it; a model that it cannot clean up is full of it.
 *
 * @param folder for intermediate files
 */
export async function foldConstants(graph: Graph, folder: string): Promise<void> {
  const nodes = constantNodes(graph);
  if (nodes.length === 0) return;
  const computed = nodes.flatMap((node) => node.outputs).filter((output) => output !== '');
  const wanted = new Set(nodes.flatMap((node) => node.inputs));
  const part: Graph = {
    ...graph,
    inputs: [],
    outputs: [],
    nodes,
    constants: new Map([...graph.constants].filter(([name]) => wanted.has(name))),
  };
  const results = await runOnce(saveOnnx(part, folder, 'constants', computed), []);
  const folded = new Set<GraphNode>();
  for (const node of nodes) {
    const tensors = node.outputs.map((output) => results.get(output));
    if (tensors.some((tensor) => tensor && elementCount(tensor.dims) > largestElements)) continue;
    folded.add(node);
    for (const tensor of tensors) {
      if (!tensor) continue;
      const { name, dtype, dims, data } = tensor;
      graph.constants.set(name, memoryConstant(dtype, dims, data.slice()));
    }
  }
  graph.nodes = graph.nodes.filter((node) => !folded.has(node));
}
