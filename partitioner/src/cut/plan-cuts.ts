import { maxMessageBytes } from '@canopy/protocol';
import type { CostSchedule } from '../cost/model.js';
import type { Program } from '../graph/program.js';
import { bundleBytes, resultsStay, type StageCost } from '../cost/stage.js';
import { cutChain, fewestStages } from './chain.js';
import { doesNotFit, tooFewWorkers } from './does-not-fit.js';
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
      const cost = chain.allowedStage(start, cuts[stage + 1]!);
      return cost && cost.instructions <= most && cost.scratchBytes <= mostScratchBytes;
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

/** Cuts a program into stages and chooses the rows of a micro-batch. Throws `PartitionError`. */
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
    throw tooFewWorkers(chain, limits, shapes[0]!, fewest);
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
