import { maxMessageBytes } from '@canopy/protocol';
import type { CostSchedule } from '../cost/model.js';
import { PartitionError } from '../error.js';
import type { Program } from '../graph/program.js';
import { bundleBytes, resultsStay, type StageCost } from '../cost/stage.js';
import { cutChain, fewestStages } from './chain.js';
import { choose, expectationOf, type Candidate, type Expectation } from './expectation.js';
import { pipelineShapes, type ShapeRequest } from './pipeline-shapes.js';
import { ProgramChain, type StageLimits } from './program-chain.js';

/** What is asked of the cut. */
export interface CutRequest extends ShapeRequest {
  goal: 'throughput' | 'latency';
  /** Rows of a micro-batch; undefined to choose them. */
  rows: number | undefined;
  /** Whether a request may be cut into micro-batches; if not, `rows` is that of a request. */
  rowsIndependent: boolean;
}

/** More rows than this save nothing more and make messages needlessly large. */
const mostRows = 64;
/**
 * Activations of a micro-batch of several rows: a canister may change 75 MiB of heap a round, in about
 * four messages.
 */
const mostScratchBytes = 16 * 1024 * 1024;

function megabytes(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}

/** Names the operation that no limit leaves room for. */
function doesNotFit(program: Program, chain: ProgramChain, limits: StageLimits): PartitionError {
  const tooLarge = program.nodes.findIndex((_, index) => chain.cost(index, index + 1) === Infinity);
  if (tooLarge >= 0) {
    const node = program.nodes[tooLarge]!;
    const { weightsBytes, scratchBytes } = chain.memory(tooLarge, tooLarge + 1);
    const passing = Math.max(chain.bytes(tooLarge), chain.bytes(tooLarge + 1));
    if (weightsBytes > limits.maxWeightsBytes) {
      return new PartitionError(
        'does-not-fit',
        `${node.op} "${node.name}" alone has ${megabytes(weightsBytes)} of weights, the limit is ` +
          `${megabytes(limits.maxWeightsBytes)}: allow more weights a worker`,
      );
    }
    return new PartitionError(
      'does-not-fit',
      `around ${node.op} "${node.name}" ${megabytes(passing)} pass from stage to stage ` +
        `(a message holds ${megabytes(limits.maxMessageBytes)}) and activations take ` +
        `${megabytes(scratchBytes)}: plan with smaller dims, or allow more weights a worker`,
    );
  }
  return new PartitionError(
    'does-not-fit',
    `the model cannot be cut so that each worker holds at most ${megabytes(limits.maxWeightsBytes)} ` +
      `of weights and each message at most ${megabytes(limits.maxMessageBytes)}: allow more weights a worker`,
  );
}

/** A message works on several micro-batches; small ones fill it best. */
const microBatchesOfMessage = 8;

/**
 * Most rows with which every stage takes a small part of a message, and messages are not too large; more
 * rows take more, so halves are searched.
 */
function rowsWithinBudget(
  chainOf: (rows: number) => ProgramChain,
  instructionBudget: number,
  cuts: readonly number[],
): number {
  const most = instructionBudget / microBatchesOfMessage;
  const fits = (rows: number): boolean => {
    const chain = chainOf(rows);
    if (chain.bytes(0) > maxMessageBytes) return false;
    return cuts.slice(0, -1).every((start, stage) => {
      const end = cuts[stage + 1]!;
      if (!chain.isAllowed(start, end)) return false;
      const { instructions, scratchBytes } = chain.stage(start, end);
      return instructions <= most && scratchBytes <= mostScratchBytes;
    });
  };
  let [fitting, tooMany] = [1, mostRows + 1];
  while (tooMany - fitting > 1) {
    const rows = Math.floor((fitting + tooMany) / 2);
    if (fits(rows)) fitting = rows;
    else tooMany = rows;
  }
  return fitting;
}

/** Where a program is cut, and what that promises. */
export interface Cut {
  /** Where each stage begins, and the program's end. */
  cuts: number[];
  expectation: Expectation;
  /** With `auto`: what was chosen among. */
  considered: Expectation[];
}

/** Cuts a program into stages and chooses the rows of a micro-batch. Throws {@link PartitionError}. */
export function planCuts(
  program: Program,
  schedule: CostSchedule,
  limits: StageLimits,
  request: CutRequest,
): Cut {
  const chainOf = memoize((rows: number) => new ProgramChain(program, rows, schedule, limits));
  const chain = chainOf(request.rows ?? 1);
  const one = chainOf(1);
  const fewest = fewestStages(chain);
  if (fewest === undefined) throw doesNotFit(program, chain, limits);

  const candidateOf = memoize((stages: number) => {
    const cuts = cutChain(chain, stages);
    if (!cuts) return undefined;
    const rows = request.rows ?? rowsWithinBudget(chainOf, limits.instructionBudget, cuts);
    const costs = (of: ProgramChain): StageCost[] =>
      cuts.slice(0, -1).map((start, stage) => of.stage(start, cuts[stage + 1]!));
    const candidate: Omit<Candidate, 'pipelines'> = {
      rows,
      stages: costs(chainOf(rows)),
      oneRow: costs(one),
      inputBytes: (count) => bundleBytes(program, program.inputs, count),
      rowsIndependent: request.rowsIndependent,
      resultsStay: resultsStay(program, stages),
    };
    return { cuts, candidate };
  });

  const shapes = pipelineShapes(request, fewest, program.nodes.length);
  const found = shapes.flatMap(({ stages, pipelines }) => {
    const cut = candidateOf(stages);
    if (!cut) return [];
    const candidate = { ...cut.candidate, pipelines };
    return { cuts: cut.cuts, expectation: expectationOf(candidate, limits.instructionBudget) };
  });
  if (found.length === 0) {
    throw new PartitionError(
      'does-not-fit',
      `the model does not fit ${shapes[0]!.stages} workers of ` +
        `${megabytes(limits.maxWeightsBytes)} of weights: it needs at least ${fewest}` +
        (shapes[0]!.pipelines > 1 ? ' in each pipeline' : ''),
    );
  }
  const expectations = found.map(({ expectation }) => expectation);
  const best = choose(expectations, request.goal);
  const isOpen = request.workers === 'auto' || request.pipelines === 'auto';
  return {
    ...found.find(({ expectation }) => expectation === best)!,
    considered: isOpen ? expectations : [],
  };
}

/** A function that computes each result once. */
function memoize<Result>(compute: (key: number) => Result): (key: number) => Result {
  const known = new Map<number, Result>();
  return (key) => {
    if (!known.has(key)) known.set(key, compute(key));
    return known.get(key)!;
  };
}
