import type { BundleTensor } from '@canopy/protocol';
import { PartitionError } from './error.js';
import type { Graph } from './graph/graph.js';
import { foldConstants } from './graph/fold-constants.js';
import { removeUnused } from './graph/graph.js';
import { lowerGraph, unsupportedError, unsupportedOperators } from './graph/lower/index.js';
import { runPasses } from './graph/passes/index.js';
import { planWith, type Program } from './graph/program.js';
import { followRows, type Independence } from './graph/rows/follow.js';
import { deriveShapes, requireRunnable } from './graph/shapes/derive.js';
import { sizesOfSamples, typicalDims } from './graph/shapes/open-dimensions.js';
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
  /** Name of the dimension that counts rows, where the inputs share one. */
  rows: string | undefined;
  /** Whether each row of a request is worked on by itself. */
  independence: Independence;
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
 * @param rowsIndependent what the model's owner says about its rows; derived where left out
 */
export async function loadModel(
  path: string,
  given: Readonly<Record<string, number>>,
  samples: readonly BundleTensor[] = [],
  rowsIndependent?: boolean,
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
    // Open dimensions are named as the file names them.
    graph.inputs = original.inputs.filter(({ name }) =>
      graph.inputs.some((input) => input.name === name),
    );
    await foldConstants(graph, folder);
    removeUnused(graph);
    const dims = typicalDims(original, { ...sizesOfSamples(original, samples), ...given });
    const derived = await deriveShapes(graph, dims, folder, samples);
    const { inference, rows, planSizes } = derived;
    const program = runPasses(lowerGraph(graph, inference.facts, planSizes(1)));
    if (program.nodes.length === 0) {
      throw new PartitionError(
        'unsupported',
        `${path} computes nothing: its outputs are its inputs`,
      );
    }
    const independence = independenceOf(program, rows, rowsIndependent);
    // Where rows depend on each other, a request is planned for as a whole.
    const rowsOfOne = rows === undefined || independence.independent ? 1 : Math.max(1, dims[rows]!);
    planWith(program, planSizes(rowsOfOne));
    requireRunnable(graph, derived, planSizes(rowsOfOne), dims);
    return { original, graph, program, dims, rows, independence, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** What the owner says, or else what the program shows. */
function independenceOf(
  program: Program,
  rows: string | undefined,
  said: boolean | undefined,
): Independence {
  if (said === undefined) return followRows(program, rows);
  if (!said) return { independent: false, why: 'as the options say' };
  if (rows !== undefined) return { independent: true };
  throw new PartitionError(
    'bad-option',
    'rowsIndependent: the inputs of the model share no open first dimension, so there are no rows',
  );
}
