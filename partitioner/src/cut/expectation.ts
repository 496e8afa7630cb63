import cycles from '../cost/cycles.json' with { type: 'json' };
import type { StageCost } from '../cost/stage.js';
import { simulateRounds } from './simulate-rounds.js';

/** A way to cut a model: what each stage costs for a micro-batch of so many rows, and for one row. */
export interface Candidate {
  workers: number;
  rows: number;
  stages: readonly StageCost[];
  oneRow: readonly StageCost[];
}

/** What a cut does when requests never run out, and for one request alone. */
export interface Expectation {
  workers: number;
  rows: number;
  /** Rows of results a round, all workers on one subnet. A round is about a second. */
  inferencesPerRound: number;
  /** Rounds until the answer to a request of one row that comes alone. */
  roundsForOne: number;
  cyclesPerThousand: number;
  usDollarsPerThousand: number;
}

/** Messages of each stage in a steady state; enough for the pipeline to fill and settle. */
const settled = { few: 16, many: 48 };

function messagesOf({ instructions, messages }: StageCost): number[] {
  return new Array<number>(messages).fill(instructions / messages);
}

/** Micro-batches that a worker works on in one message: as many as fit its budget. */
function together(stages: readonly StageCost[], instructionBudget: number): number {
  if (stages.some(({ messages }) => messages > 1)) return 1;
  const most = Math.max(...stages.map(({ instructions }) => instructions));
  return Math.max(1, Math.floor(instructionBudget / most));
}

/** Predicts what a cut does, from its stages' costs alone. */
export function expectationOf(
  { workers, rows, stages, oneRow }: Candidate,
  instructionBudget: number,
): Expectation {
  const group = together(stages, instructionBudget);
  const grouped = stages.map((stage) => messagesOf(stage).map((each) => each * group));
  const rounds = (tasks: number): number => simulateRounds({ stages: grouped, tasks });
  const perRound =
    (settled.many - settled.few) / Math.max(1, rounds(settled.many) - rounds(settled.few));
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
    inferencesPerRound: perRound * group * rows,
    roundsForOne: simulateRounds({ stages: oneRow.map(messagesOf), tasks: 1 }),
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
