import cycles from '../cost/cycles.json' with { type: 'json' };
import type { StageCost } from '../cost/stage.js';
import type { Load, PipelineSetting, StageLoad } from './simulate/messages.js';
import { simulateLoad } from './simulate/pipeline.js';

/** A way to cut a model: what each stage costs for a micro-batch of so many rows, and for one row. */
export interface Candidate {
  workers: number;
  rows: number;
  stages: readonly StageCost[];
  oneRow: readonly StageCost[];
  /** Bytes of the inputs of one row. */
  rowBytes: number;
  /** Whether results stay at the last stage. */
  resultsStay: boolean;
}

/** What a cut does when requests never run out, and for one request alone. */
export interface Expectation {
  workers: number;
  rows: number;
  /**
   * Rows of results a round while the pipeline is full, all workers on one subnet; requests of one
   * micro-batch, all sent at once. A round is about a second.
   */
  inferencesPerRound: number;
  /** Rounds until the answer to a request of one row that comes alone. */
  roundsForOne: number;
  cyclesPerThousand: number;
  usDollarsPerThousand: number;
}

/** Messages of each stage that show what a full pipeline does. */
const messagesToSettle = 10;

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

/** Rows a round when so many requests that more change nothing are sent at once. */
function fullRate(setting: PipelineSetting, load: Load): number {
  const { rounds, steadyPerRound } = simulateLoad(setting, load);
  return steadyPerRound ?? load.requests / rounds;
}

/** Predicts what a cut does, from its stages' costs alone. */
export function expectationOf(candidate: Candidate, instructionBudget: number): Expectation {
  const { workers, rows, stages, oneRow, rowBytes, resultsStay } = candidate;
  const group = together(stages, instructionBudget);
  const setting = (costs: readonly StageCost[]): PipelineSetting => ({
    stages: costs.map(stageLoad),
    instructionBudget,
    resultsStay,
  });
  const requests = Math.max(16, Math.ceil(messagesToSettle * workers * group));
  const plenty: Load = { requests, concurrency: requests, microBatches: 1, bytes: rowBytes * rows };
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
    rows,
    inferencesPerRound: fullRate(setting(stages), plenty) * rows,
    roundsForOne: simulateLoad(setting(oneRow), alone).rounds,
    cyclesPerThousand,
    usDollarsPerThousand: (cyclesPerThousand / 1e12) * cycles.usDollarsPerTrillion,
  };
}

/** More workers must be better by this part to be worth their memory and their upgrades. */
const worthIt = 1.02;

/**
 * Chooses among cuts: for throughput the most inferences a round, for latency the fewest rounds for
 * one request; of nearly equal ones the one with the fewest workers.
 *
 * @param expectations in the order of their workers, not empty
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
