import { maxMessageBytes } from '@canopy/protocol';
import cycles from '../cost/cycles.json' with { type: 'json' };
import type { StageCost } from '../cost/stage.js';
import {
  ingressBytes,
  instructionsPerByteSent,
  type Load,
  type LoadOutcome,
  type PipelineSetting,
  type StageLoad,
  type Traffic,
} from './simulate/messages.js';
import { simulateLoad } from './simulate/pipeline.js';

/** A way to cut a model: what each stage costs for a micro-batch of so many rows, and for one row. */
export interface Candidate {
  /** Pipelines of these stages. */
  pipelines: number;
  rows: number;
  stages: readonly StageCost[];
  oneRow: readonly StageCost[];
  /** Bytes of the inputs of so many rows, as a request holds them. */
  inputBytes: (rows: number) => number;
  /** Whether a request may hold several micro-batches. */
  rowsIndependent: boolean;
  /** Whether results stay at the last stage. */
  resultsStay: boolean;
}

/** The load that a rate is expected under: the benchmark's for this concurrency (METHODOLOGY.md). */
export interface ExpectedLoad {
  /** Requests in flight: so many that more change little. */
  concurrency: number;
  /** Requests in all. */
  requests: number;
  /** Rows of a request: one micro-batch, or more where that is faster. */
  rowsPerRequest: number;
}

/** What a cut does when requests never run out, and for one request alone. */
export interface Expectation {
  /** In all pipelines together. */
  workers: number;
  pipelines: number;
  rows: number;
  /**
   * Rows of results a round under `load` while the pipelines are full, all workers on one subnet. A
   * round is about a second. `canopy bench` counts it.
   */
  inferencesPerRound: number;
  load: ExpectedLoad;
  /** Rounds until the answer to a request of one row that comes alone. */
  roundsForOne: number;
  /** Of all canisters, under `load`: execution, calls and what comes from outside; without storage. */
  cyclesPerThousand: number;
  usDollarsPerThousand: number;
}

/** More workers, pipelines or rows of a request must be better by this part to be worth while. */
const worthIt = 1.02;

/** Messages of each stage, and requests of each pipeline, in flight when pipelines are full. */
const messagesInFlight = 5;
const requestsOfPipeline = 4;
const fewestInFlight = 8;
/**
 * More requests in flight make nothing faster, however small the model: the coordinator takes on about
 * 60 a round, and each that it knows makes its messages dearer.
 */
const mostInFlight = 128;
/** Requests of a load for each in flight; what `canopy bench` sends unless it is told. */
export const requestsPerLane = 2;
/** A load lasts so many rounds, that one more or less is little, or has so many requests for each in flight. */
const fewestRounds = 20;
const mostPerLane = 16;

/** What a stage takes in the simulation. */
export function stageLoads(costs: readonly StageCost[]): StageLoad[] {
  return costs.map(({ instructions, pageInstructions, bytesSent, messages }) => {
    const sending = costs.length === 1 ? 0 : bytesSent * instructionsPerByteSent;
    return {
      work: instructions - pageInstructions - sending,
      bytesSent,
      pages: pageInstructions / messages,
    };
  });
}

/** Micro-batches that a worker works on in one message, on average. */
function together(stages: readonly StageCost[], instructionBudget: number): number {
  const most = Math.max(...stages.map(({ instructions }) => instructions));
  return Math.max(1, instructionBudget / most);
}

/** Micro-batches of the larger requests that are looked at, as far as they fit a message. */
const severalMicroBatches = 8;

/** Micro-batches of requests to look at. */
function requestSizes({ rows, inputBytes, rowsIndependent }: Candidate): number[] {
  if (!rowsIndependent) return [1];
  let several = severalMicroBatches;
  while (several > 1 && inputBytes(several * rows) > maxMessageBytes) several--;
  return several > 1 ? [1, several] : [1];
}

/**
 * Requests in flight that fill pipelines of so many workers; a message holds `group` micro-batches, but no
 * more than enter in a round.
 *
 * @param bytes of a request's inputs
 */
function enoughInFlight(
  { pipelines, stages }: Candidate,
  group: number,
  microBatches: number,
  bytes: number,
): number {
  const messages = messagesInFlight * pipelines * stages.length;
  const entering = Math.max(messages / microBatches, ingressBytes / bytes);
  const filling = Math.ceil(Math.min((messages * group) / microBatches, entering));
  const fewest = Math.max(fewestInFlight, requestsOfPipeline * pipelines);
  return Math.min(mostInFlight, Math.max(fewest, filling));
}

/** The load of so many requests in flight that lasts long enough, and what becomes of it. */
function longEnough(
  setting: PipelineSetting,
  shape: Omit<Load, 'requests'>,
): { requests: number; outcome: LoadOutcome } {
  for (let perLane = requestsPerLane; ; perLane *= 2) {
    const requests = shape.concurrency * perLane;
    const outcome = simulateLoad(setting, { ...shape, requests });
    if (outcome.rounds >= fewestRounds || perLane >= mostPerLane) return { requests, outcome };
  }
}

/** Cycles that canisters are charged for a load. */
function cyclesOf(traffic: Traffic): number {
  return (
    traffic.instructions * cycles.perInstruction +
    traffic.executions * cycles.perUpdateMessage +
    traffic.calls * cycles.perCall +
    traffic.callBytes * cycles.perCallByte +
    traffic.ingress * cycles.perIngressMessage +
    traffic.ingressBytes * cycles.perIngressByte
  );
}

/** Predicts what a cut does, from its stages' costs alone. */
export function expectationOf(candidate: Candidate, instructionBudget: number): Expectation {
  const { pipelines, rows, stages, oneRow, inputBytes, resultsStay } = candidate;
  const workers = pipelines * stages.length;
  const group = together(stages, instructionBudget);
  const setting = (costs: readonly StageCost[]): PipelineSetting => ({
    stages: stageLoads(costs),
    pipelines,
    instructionBudget,
    resultsStay,
  });
  const full = setting(stages);
  const rates = requestSizes(candidate).flatMap((microBatches) => {
    const bytes = inputBytes(rows * microBatches);
    const most = enoughInFlight(candidate, group, microBatches, bytes);
    // Each that the coordinator knows makes its messages dearer: half as many may be faster.
    return [Math.ceil(most / 2), most].map((concurrency) => {
      const { requests, outcome } = longEnough(full, { concurrency, microBatches, bytes });
      const rowsPerRequest = microBatches * rows;
      return {
        rate: (outcome.steadyPerRound ?? requests / outcome.rounds) * rowsPerRequest,
        cycles: cyclesOf(outcome.traffic) / (requests * rowsPerRequest),
        load: { concurrency, requests, rowsPerRequest },
      };
    });
  });
  const best = rates.reduce((one, other) => (other.rate > one.rate * worthIt ? other : one));
  const alone: Load = { requests: 1, concurrency: 1, microBatches: 1, bytes: inputBytes(1) };
  const cyclesPerThousand = best.cycles * 1000;
  return {
    workers,
    pipelines,
    rows,
    inferencesPerRound: best.rate,
    load: best.load,
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
