import { decodeShardHead, type BundleTensor } from '@canopy/protocol';
import { makeShard } from '../emit/shard.js';
import { lowerGraph } from '../graph/lower/index.js';
import { sampleFeeds } from '../graph/measure.js';
import { deriveShapes, type Derived } from '../graph/shapes/derive.js';
import { typicalDims } from '../graph/shapes/open-dimensions.js';
import type { Graph, GraphNode, NamedValue } from '../graph/graph.js';
import type { Constant } from '../graph/constant.js';
import type { Program } from '../graph/program.js';
import { makeTemporary, removeTemporary } from '../onnx/temporary.js';
import { runOnce } from '../onnx/runtime.js';
import { writeOnnx } from '../onnx/write-model.js';
import { shardToGraph } from './shard-to-graph.js';

/** Tests only: a graph from its parts. */
export function makeGraph(parts: {
  inputs: NamedValue[];
  outputs: NamedValue[];
  nodes: GraphNode[];
  constants?: Record<string, Constant>;
  opset?: number;
}): Graph {
  return {
    name: 'test',
    opsets: new Map([
      ['', parts.opset ?? 17],
      ['com.microsoft', 1],
    ]),
    inputs: parts.inputs,
    outputs: parts.outputs,
    nodes: parts.nodes,
    constants: new Map(Object.entries(parts.constants ?? {})),
  };
}

/** Tests only: f32 numbers that differ from element to element. */
export function numbers(count: number, seed = 1): number[] {
  return Array.from({ length: count }, (_, index) => Math.sin(index * 1.7 + seed));
}

/** Tests only: the program of a graph, before any pass. */
export async function lowered(
  graph: Graph,
  dims: Record<string, number> = {},
): Promise<{ program: Program; sizes: Record<string, number>; derived: Derived }> {
  const sizes = typicalDims(graph, dims);
  const folder = makeTemporary();
  try {
    const derived = await deriveShapes(graph, sizes, folder);
    const program = lowerGraph(graph, derived.inference.facts, derived.planSizes(1));
    return { program, sizes, derived };
  } finally {
    removeTemporary(folder);
  }
}

/** Tests only: runs a program by way of its shard's bytes. */
export async function runProgram(
  program: Program,
  feeds: readonly BundleTensor[],
): Promise<BundleTensor[]> {
  const { nodes, inputs, outputs } = program;
  const shard = makeShard(program, { nodes, inputs, outputs });
  const bytes = shard.read(0, shard.byteLength);
  const graph = shardToGraph(decodeShardHead(bytes), bytes);
  const named = graph.inputs.map(({ name }, index) => {
    const feed = feeds.find((candidate) => candidate.name === inputs[index])!;
    return { ...feed, name };
  });
  const results = await runOnce(writeOnnx(graph), named);
  return graph.outputs.map(({ name }, index) => ({ ...results.get(name)!, name: outputs[index]! }));
}

/** Tests only: what onnxruntime makes of the graph itself, and made-up inputs for it. */
export async function reference(
  graph: Graph,
  sizes: Record<string, number>,
  rows = 2,
): Promise<{ feeds: BundleTensor[]; expected: BundleTensor[] }> {
  const feeds = sampleFeeds(graph, sizes, rows, 5);
  const results = await runOnce(writeOnnx(graph), feeds);
  return { feeds, expected: graph.outputs.map(({ name }) => results.get(name)!) };
}
