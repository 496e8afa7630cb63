import { maxNameBytes, type BundleTensor } from '@canopy/protocol';
import { errorText, PartitionError, type Problem } from './error.js';
import { fixValues, type FixedValues } from './fix-values.js';
import { constantBytes, type Constant } from './graph/constant.js';
import { expandGraph, isExpandable } from './graph/expand/index.js';
import { removeUnused, type Graph, type NamedValue } from './graph/graph.js';
import { lowerGraph, problemsWithoutSizes, unsupportedOperators } from './graph/lower/index.js';
import { inFileTerms, type Judged } from './graph/origins.js';
import { runPasses } from './graph/passes/index.js';
import { planWith, type Program } from './graph/program.js';
import { followRows, type Independence } from './graph/rows/follow.js';
import { deriveShapes, requireRunnable, type Derived } from './graph/shapes/derive.js';
import { sizesOfSamples, typicalDims } from './graph/shapes/open-dimensions.js';
import { openModel } from './onnx/open-model.js';
import { optimizeOnnx } from './onnx/optimize.js';
import { readOnnx } from './onnx/read-model.js';
import { lackOfRoom } from './onnx/room.js';
import { shownBytes } from './onnx/skeleton.js';
import { makeTemporary, removeTemporary } from './onnx/temporary.js';
import { modelOperators } from './operators/index.js';
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
  /** Name of the dimension that counts rows, where the inputs share one. */
  rows: string | undefined;
  /** Whether each row of a request is worked on by itself. */
  independence: Independence;
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
  | { level: Level; graph: Graph; derived: Derived; program: Program }
  | ({ level: Level } & Judged)
  | { level: Level; reason: unknown };

/** The graph of a level, ready to be lowered; open dimensions are named as the file names them. */
async function graphAt(
  level: Level,
  path: string,
  original: Graph,
  fixed: ReadonlyMap<string, Constant>,
  folder: string,
): Promise<Graph> {
  const graph =
    level === 'file' ? readOnnx(path) : await optimizeOnnx(path, original, level, folder);
  graph.inputs = original.inputs.filter(({ name }) =>
    graph.inputs.some((input) => input.name === name),
  );
  for (const [name, constant] of fixed) graph.constants.set(name, constant);
  await expandGraph(graph, folder, (op) => modelOperators.has(op));
  removeUnused(graph);
  return graph;
}

/** Lowers a graph; an error of anything but unsupported parts is thrown. */
async function judge(
  level: Level,
  graph: Graph,
  derive: (graph: Graph) => Promise<Derived>,
): Promise<Attempt> {
  try {
    const derived = await derive(graph);
    const program = lowerGraph(graph, derived.inference.facts, derived.planSizes(1));
    return { level, graph, derived, program };
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
  fixed: ReadonlyMap<string, Constant>,
  folder: string,
  derive: (graph: Graph) => Promise<Derived>,
): Promise<{ graph: Graph; derived: Derived; program: Program; notes: string[] }> {
  const attempts: Attempt[] = [];
  for (const level of levels) {
    let graph: Graph;
    try {
      graph = await graphAt(level, path, original, fixed, folder);
    } catch (reason) {
      const lack = lackOfRoom(reason, shownBytes(original), folder, true);
      if (lack) throw lack;
      attempts.push({ level, reason });
      continue;
    }
    let attempt: Attempt;
    try {
      attempt = await judge(level, graph, derive);
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
      return { graph, derived: attempt.derived, program: attempt.program, notes };
    }
    attempts.push(attempt);
  }
  throw failure(original, attempts);
}

/** Bytes of all weights. */
function weightBytesOf(graph: Graph): number {
  return [...graph.constants.values()].reduce((sum, constant) => sum + constantBytes(constant), 0);
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
 * @param rowsIndependent what the model's owner says about its rows; derived where left out
 * @param fixedValues of inputs and open dimensions, as {@link fixValues} takes them
 *
 * Throws {@link PartitionError}: `unsupported` with everything that cannot be run, in the file's names.
 */
export async function loadModel(
  path: string,
  given: Readonly<Record<string, number>>,
  samples: readonly BundleTensor[] = [],
  rowsIndependent?: boolean,
  fixedValues: FixedValues = {},
): Promise<LoadedModel> {
  const { graph: original, problems: types } = openModel(path);
  const problems = [...types, ...longNames(original)];
  if (problems.length > 0) {
    const operators = unsupportedOperators(original);
    throw unsupportedError([
      ...problems,
      ...operators.filter((problem) => !isExpandable(original, problem)),
    ]);
  }
  if (original.outputs.length === 0) {
    throw new PartitionError('bad-model', `${path} has no outputs`);
  }
  const fixed = fixValues(original, fixedValues);
  const dims = typicalDims(original, { ...sizesOfSamples(original, samples), ...given });
  const folder = makeTemporary();
  const close = (): void => {
    removeTemporary(folder);
  };
  try {
    const derive = (graph: Graph) => deriveShapes(graph, dims, folder, samples);
    const lowered = await lowerModel(path, original, fixed, folder, derive);
    const { graph, derived, notes } = lowered;
    const { rows, planSizes } = derived;
    const program = runPasses(lowered.program);
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
    return { original, graph, program, dims, rows, independence, notes, close };
  } catch (error) {
    const lack = lackOfRoom(error, weightBytesOf(original), folder, false);
    close();
    throw lack ?? (error instanceof PartitionError ? error.withDims(dims) : error);
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
