import type { BundleTensor } from '@canopy/protocol';
import { PartitionError } from './error.js';
import type { Graph } from './graph/graph.js';
import { foldConstants } from './graph/fold-constants.js';
import { removeUnused } from './graph/graph.js';
import { lowerGraph, unsupportedError, unsupportedOperators } from './graph/lower/index.js';
import { measureGraph, typicalDims } from './graph/measure.js';
import { runPasses } from './graph/passes/index.js';
import type { Program } from './graph/program.js';
import { optimizeOnnx } from './onnx/optimize.js';
import { readOnnx } from './onnx/read-model.js';
import { makeTemporary, removeTemporary } from './onnx/temporary.js';

/** A model as a program of worker operations, before it is cut. */
export interface LoadedModel {
  /** Inputs and outputs as the file names them; dimensions named where open. */
  original: Graph;
  /** After onnxruntime's clean-up. */
  graph: Graph;
  program: Program;
  /** Size taken for each open dimension. */
  dims: Record<string, number>;
  /** Removes intermediate files; weights cannot be read afterwards. */
  close(): void;
}

/**
 * The graph to work on: as onnxruntime leaves it at the extended level, or at the basic level where
 * extended fuses into operators that workers do not have, or as it is where onnxruntime cannot read it.
 */
async function cleanGraph(path: string, original: Graph, folder: string): Promise<Graph> {
  const candidates: Graph[] = [];
  for (const level of ['extended', 'basic'] as const) {
    let graph: Graph;
    try {
      graph = await optimizeOnnx(path, level, folder);
    } catch {
      continue;
    }
    if (unsupportedOperators(graph).length === 0) return graph;
    candidates.push(graph);
  }
  candidates.push(original);
  const [best] = candidates
    .map((graph) => ({ graph, problems: unsupportedOperators(graph) }))
    .sort((a, b) => a.problems.length - b.problems.length);
  if (best!.problems.length > 0) throw unsupportedError(best!.problems);
  return best!.graph;
}

/**
 * Reads an ONNX file and turns it into a program.
 *
 * @param given sizes of open dimensions to plan with
 * @param samples inputs to plan with, where their values matter
 */
export async function loadModel(
  path: string,
  given: Readonly<Record<string, number>>,
  samples: readonly BundleTensor[] = [],
): Promise<LoadedModel> {
  const original = readOnnx(path);
  if (original.outputs.length === 0) {
    throw new PartitionError('bad-model', `${path} has no outputs`);
  }
  const folder = makeTemporary();
  const close = (): void => {
    removeTemporary(folder);
  };
  try {
    const graph = await cleanGraph(path, original, folder);
    await foldConstants(graph, folder);
    removeUnused(graph);
    const dims = typicalDims(original, given);
    const measured = await measureGraph(graph, dims, folder, samples);
    const program = runPasses(lowerGraph(graph, measured));
    return { original, graph, program, dims, close };
  } catch (error) {
    close();
    throw error;
  }
}
