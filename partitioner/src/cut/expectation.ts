import { maxMessageBytes } from '@canopy/protocol';
import cycles from '../cost/cycles.json' with { type: 'json' };
import type { StageCost } from '../cost/stage.js';
import type { Load, PipelineSetting, StageLoad } from './simulate/messages.js';
import { simulateLoad } from './simulate/pipeline.js';

/** A way to cut a model: what each stage costs for a micro-batch of so many rows, and for one row. */
export interface Candidate {
  /** Pipelines of these stages. */
  pipelines: number;
  rows: number;
  stages: readonly StageCost[];
  oneRow: readonly StageCost[];
  /** Bytes of the inputs of one row. */
  rowBytes: number;
  /** Whether a request may hold several micro-batches. */
  rowsIndependent: boolean;
  /** Whether results stay at the last stage. */
  resultsStay: boolean;
}

/** What a cut does when requests never run out, and for one request alone. */
export interface Expectation {
  /** In all pipelines together. */
  workers: number;
  pipelines: number;
  rows: number;
  /**
   * Rows of results a round while the pipelines are full, all workers on one subnet; all requests sent
   * at once, of `rowsPerRequest` rows. A round is about a second.
   */
  inferencesPerRound: number;
  /** Rows of a request: one micro-batch, or more where that is faster. */
  rowsPerRequest: number;
  /** Rounds until the answer to a request of one row that comes alone. */
  roundsForOne: number;
  cyclesPerThousand: number;
  usDollarsPerThousand: number;
}

/** More workers, pipelines or rows of a request must be better by this part to be worth while. */
const worthIt = 1.02;

/** Messages of each stage, and requests of each pipeline, that show what full pipelines do. */
const messagesToSettle = 10;
const requestsOfPipeline = 8;

/** What a stage takes in the simulation. */
export function stageLoad(cost: Omit<StageCost, 'bytesReceived' | 'scratchBytes'>): StageLoad {
  const sending = cost.bytesSent * instructionsPerByteSent;
  return {
    work: cost.instructions - cost.pageInstructions - sending,
    sending,
    pages: cost.pageInstructions / cost.messages,
  };
}

/** system-api-costs.json: a byte of a call's argument. */
const instructionsPerByteSent = 50;

/** Micro-batches that a worker works on in one message, on average. */
function together(stages: readonly StageCost[], instructionBudget: number): number {
  const most = Math.max(...stages.map(({ instructions }) => instructions));
  return Math.max(1, instructionBudget / most);
}

/** Micro-batches of the larger requests that are looked at, as far as they fit a message. */
const severalMicroBatches = 8;

/** Micro-batches of requests to look at. */
function requestSizes({ rows, rowBytes, rowsIndependent }: Candidate): number[] {
  const fitting = Math.floor(maxMessageBytes / Math.max(1, rows * rowBytes));
  const several = Math.min(severalMicroBatches, fitting);
  return rowsIndependent && several > 1 ? [1, several] : [1];
}

/** Micro-batches a round when so many requests that more change nothing are sent at once. */
function fullRate(setting: PipelineSetting, load: Load): number {
  const { rounds, steadyPerRound } = simulateLoad(setting, load);
  return (steadyPerRound ?? load.requests / rounds) * load.microBatches;
}

/** Predicts what a cut does, from its stages' costs alone. */
export function expectationOf(candidate: Candidate, instructionBudget: number): Expectation {
  const { pipelines, rows, stages, oneRow, rowBytes, resultsStay } = candidate;
  const workers = pipelines * stages.length;
  const group = together(stages, instructionBudget);
  const setting = (costs: readonly StageCost[]): PipelineSetting => ({
    stages: costs.map(stageLoad),
    pipelines,
    instructionBudget,
    resultsStay,
  });
  const tasks = Math.max(16, Math.ceil(messagesToSettle * workers * group));
  const rates = requestSizes(candidate).map((microBatches) => {
    const requests = Math.max(requestsOfPipeline * pipelines, Math.ceil(tasks / microBatches));
    const bytes = rowBytes * rows * microBatches;
    const load = { requests, concurrency: requests, microBatches, bytes };
    return { microBatches, rate: fullRate(setting(stages), load) };
  });
  const best = rates.reduce((one, other) => (other.rate > one.rate * worthIt ? other : one));
  const alone: Load = { requests: 1, concurrency: 1, microBatches: 1, bytes: rowBytes };
  const cyclesEach =
    stages.reduce((sum, stage) => {
      const { instructions, messages, bytesSent } = stage;
      const calls = messages * (cycles.perUpdateMessage + cycles.perCall);
      return (
        sum + instructions * cycles.perInstruction + calls / group + bytesSent * cycles.perCallByte
      );
    }, 0) / rows;
  const cyclesPerThousand = cyclesEach * 1000;
  return {
    workers,
    pipelines,
    rows,
    inferencesPerRound: best.rate * rows,
    rowsPerRequest: best.microBatches * rows,
    roundsForOne: simulateLoad(setting(oneRow), alone).rounds,
    cyclesPerThousand,
    usDollarsPerThousand: (cyclesPerThousand / 1e12) * cycles.usDollarsPerTrillion,
  };
}

/**
 * Chooses among cuts: for throughput the most inferences a round, for latency the fewest rounds for
 * one request; of nearly equal ones the one with the fewest workers, and of these the fewest pipelines.
 *
 * @param expectations in the order of their workers, then of their pipelines; not empty
 */
export function choose(
  expectations: readonly Expectation[],
  goal: 'throughput' | 'latency',
): Expectation {
  return expectations.reduce((best, next) => {
    const better =
      goal === 'throughput'
        ? next.inferencesPerRound > best.inferencesPerRound * worthIt
        : next.roundsForOne < best.roundsForOne;
    return better ? next : best;
  });
}
