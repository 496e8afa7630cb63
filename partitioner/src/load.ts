import { maxNameBytes, type BundleTensor } from '@canopy/protocol';
import { errorText, PartitionError, type Problem } from './error.js';
import { foldConstants } from './graph/fold-constants.js';
import { removeUnused, type Graph, type NamedValue } from './graph/graph.js';
import {
  lowerGraph,
  problemsWithoutSizes,
  supported,
  unsupportedOperators,
} from './graph/lower/index.js';
import { measureGraph, typicalDims } from './graph/measure.js';
import { inFileTerms, type Judged } from './graph/origins.js';
import { runPasses } from './graph/passes/index.js';
import type { Program } from './graph/program.js';
import { openModel } from './onnx/open-model.js';
import { optimizeOnnx } from './onnx/optimize.js';
import { dataFiles } from './onnx/data-files.js';
import { readOnnx } from './onnx/read-model.js';
import { lackOfRoom } from './onnx/room.js';
import { makeTemporary, removeTemporary } from './onnx/temporary.js';
import { unsupportedError } from './problems.js';

/** A model as a program of worker operations, before it is cut. */
export interface LoadedModel {
  /** Inputs and outputs as the file names them; dimensions named where open. */
  original: Graph;
  /** After onnxruntime's clean-up. */
  graph: Graph;
  program: Program;
  /** Size taken for each open dimension. */
  dims: Record<string, number>;
  /** What did not go as it should, though the plan is right. */
  notes: readonly string[];
  /** Removes intermediate files; weights cannot be read afterwards. */
  close(): void;
}

/**
 * Graphs to try, in this order: as onnxruntime leaves it at the extended level; at the basic level,
 * where extended fuses into operators that workers do not have; as it is in the file.
 */
const levels = ['extended', 'basic', 'file'] as const;
type Level = (typeof levels)[number];

/** What became of one of the graphs: a program, problems, or a refusal by onnxruntime. */
type Attempt =
  | { level: Level; graph: Graph; program: Program }
  | ({ level: Level } & Judged)
  | { level: Level; reason: unknown };

/** The graph of a level, ready to be lowered. */
async function graphAt(level: Level, path: string, folder: string): Promise<Graph> {
  const graph = level === 'file' ? readOnnx(path) : await optimizeOnnx(path, level, folder);
  await foldConstants(graph, folder, (op) => op in supported);
  removeUnused(graph);
  return graph;
}

/** Lowers a graph; an error of anything but unsupported parts is thrown. */
async function judge(
  level: Level,
  graph: Graph,
  measure: (graph: Graph) => ReturnType<typeof measureGraph>,
): Promise<Attempt> {
  try {
    return { level, graph, program: lowerGraph(graph, await measure(graph)) };
  } catch (error) {
    const problems = error instanceof PartitionError ? error.problems : undefined;
    if (problems) return { level, graph, problems };
    // onnxruntime does not run it either: what workers lack is told as far as it shows without sizes.
    if (unsupportedOperators(graph).length === 0) throw error;
    return { level, graph, problems: problemsWithoutSizes(graph) };
  }
}

/** The error of a model of which no graph could be lowered. */
function failure(original: Graph, attempts: readonly Attempt[]): PartitionError {
  const judged = attempts.filter((attempt) => 'problems' in attempt);
  const reasons = attempts.flatMap((attempt) => ('reason' in attempt ? [attempt.reason] : []));
  const asItIs = judged.find(({ level }) => level === 'file') ?? {
    graph: original,
    problems: problemsWithoutSizes(original),
  };
  const best = judged.toSorted((a, b) => a.problems.length - b.problems.length)[0] ?? asItIs;
  const problems = best === asItIs ? asItIs.problems : inFileTerms(best, asItIs);
  const [reason] = reasons;
  if (problems.length > 0) {
    const after = reason === undefined ? '' : `\nonnxruntime refuses it too: ${errorText(reason)}`;
    return unsupportedError(problems, { cause: reason }, after);
  }
  return reason instanceof PartitionError ? reason : refusal(reason);
}

function refusal(reason: unknown): PartitionError {
  const text = `onnxruntime refuses the model: ${errorText(reason)}`;
  return new PartitionError('bad-model', text, { cause: reason });
}

/** The first graph of the model that can be lowered. */
async function lowerModel(
  path: string,
  original: Graph,
  folder: string,
  measure: (graph: Graph) => ReturnType<typeof measureGraph>,
): Promise<{ graph: Graph; program: Program; notes: string[] }> {
  const attempts: Attempt[] = [];
  for (const level of levels) {
    let graph: Graph;
    try {
      graph = await graphAt(level, path, folder);
    } catch (reason) {
      const lack = lackOfRoom(reason, [path, ...dataFiles(path, original)], folder, true);
      if (lack) throw lack;
      attempts.push({ level, reason });
      continue;
    }
    let attempt: Attempt;
    try {
      attempt = await judge(level, graph, measure);
    } catch (error) {
      // A model that onnxruntime cannot even open does not fail for its sizes.
      const refused = attempts.find((failed) => 'reason' in failed);
      throw refused && level === 'file' ? refusal(refused.reason) : error;
    }
    if ('program' in attempt) {
      const notes = attempts.flatMap((failed) =>
        'reason' in failed
          ? [
              `onnxruntime's ${failed.level} clean-up of the model failed, so it is planned without: ` +
                errorText(failed.reason),
            ]
          : [],
      );
      return { graph, program: attempt.program, notes };
    }
    attempts.push(attempt);
  }
  throw failure(original, attempts);
}

/** Inputs and outputs whose names no message could give. */
function longNames(graph: Graph): Problem[] {
  const bytes = (name: string): number => Buffer.byteLength(name);
  const among = (op: string, values: readonly NamedValue[]): Problem[] =>
    values
      .filter(({ name }) => bytes(name) > maxNameBytes)
      .map(({ name }) => ({
        node: `${name.slice(0, 40)}…`,
        op,
        why: `has a name of ${bytes(name)} bytes, at most ${maxNameBytes} are possible`,
        advice: 'rename it in the model',
      }));
  return [...among('input', graph.inputs), ...among('output', graph.outputs)];
}

/**
 * Reads an ONNX file and turns it into a program.
 *
 * @param given sizes of open dimensions to plan with
 * @param samples inputs to plan with, where their values matter
 *
 * Throws {@link PartitionError}: `unsupported` with everything that cannot be run, in the file's names.
 */
export async function loadModel(
  path: string,
  given: Readonly<Record<string, number>>,
  samples: readonly BundleTensor[] = [],
): Promise<LoadedModel> {
  const { graph: original, problems: types } = openModel(path);
  const problems = [...types, ...longNames(original)];
  if (problems.length > 0) {
    throw unsupportedError([...problems, ...unsupportedOperators(original)]);
  }
  if (original.outputs.length === 0) {
    throw new PartitionError('bad-model', `${path} has no outputs`);
  }
  const dims = typicalDims(original, given);
  const folder = makeTemporary();
  const close = (): void => {
    removeTemporary(folder);
  };
  try {
    const measure = (graph: Graph) => measureGraph(graph, dims, folder, samples);
    const { graph, program, notes } = await lowerModel(path, original, folder, measure);
    return { original, graph, program: runPasses(program), dims, notes, close };
  } catch (error) {
    const files = [path, ...dataFiles(path, original)];
    const lack = lackOfRoom(error, files, folder, false);
    close();
    throw lack ?? (error instanceof PartitionError ? error.withDims(dims) : error);
  }
}
