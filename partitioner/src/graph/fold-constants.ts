import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { elementCount, type BundleTensor } from '@canopy/protocol';
import { runOnce } from '../onnx/runtime.js';
import { saveOnnx } from '../onnx/save-model.js';
import { fileConstant, memoryConstant, type Constant } from './constant.js';
import { bodiesOf, type Graph, type GraphNode } from './graph.js';

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

/**
 * Computes what depends on constants alone, in onnxruntime, and keeps the results as constants.
 * onnxruntime's clean-up leaves little of it; a model that it cannot clean up is full of it.
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
    if (canRun(node.op) && tensors.some((tensor) => tensor && isLarge(tensor))) continue;
    folded.add(node);
    for (const tensor of tensors) {
      if (!tensor) continue;
      const file = join(folder, `folded-${graph.constants.size}.bin`);
      graph.constants.set(tensor.name, keep(tensor, file));
    }
  }
  graph.nodes = graph.nodes.filter((node) => !folded.has(node));
}
