import type { BenchIc } from '../ic/round-ic.js';
import { percentile } from '../load/percentile.js';
import type { LoadLog } from '../load/run-load.js';
import type { Durations, MeasuredRun } from '../results/schema.js';
import type { Observation, RoundWindow } from './observation.js';

type TimeFigures = Pick<
  MeasuredRun,
  'unit' | 'rounds' | 'inferencesPerRound' | 'seconds' | 'inferencesPerSecond'
>;

/** How long requests took, in the unit of the IC. */
export function timeFigures(ic: BenchIc, load: LoadLog<unknown>, inputs: number): TimeFigures {
  const durations = load.answers.map((entry) => entry.duration);
  const all: Durations = {
    total: load.total,
    median: percentile(durations, 0.5),
    p95: percentile(durations, 0.95),
  };
  const rate = inputs / load.total;
  return ic.unit === 'round'
    ? {
        unit: 'round',
        rounds: all,
        inferencesPerRound: rate,
        seconds: null,
        inferencesPerSecond: null,
      }
    : {
        unit: 'second',
        rounds: null,
        inferencesPerRound: null,
        seconds: all,
        inferencesPerSecond: rate,
      };
}

type SliceFigures = Pick<
  MeasuredRun,
  'steady' | 'sliceFullness' | 'atWork' | 'heapChangedPerRound'
>;

interface Observed {
  workers: readonly string[];
  /** Instructions inside the program, as the workers count them. */
  program: number;
  inputs: number;
  /** Rounds executed before the load. */
  startRound: number;
}

/** Figures that only an IC gives which tells of every slice. */
export function sliceFigures(
  observation: Observation | undefined,
  { firstAnswerRound, total }: LoadLog<unknown>,
  { workers, program, inputs, startRound }: Observed,
): SliceFigures {
  if (!observation || firstAnswerRound === null) {
    return { steady: null, sliceFullness: null, atWork: null, heapChangedPerRound: null };
  }
  const window = observation.steadyWindow(firstAnswerRound);
  const workerInstructions = observation.instructions(workers);
  const modelShare = workerInstructions === 0 ? 0 : program / workerInstructions;
  return {
    steady: window ? steadyFigures(observation, workers, window, modelShare, inputs) : null,
    sliceFullness: observation.sliceFullness(),
    atWork: observation.atWork(window),
    heapChangedPerRound: observation.heapChangedPerRound(
      window ?? { first: startRound + 1, last: startRound + total },
    ),
  };
}

function steadyFigures(
  observation: Observation,
  workers: readonly string[],
  window: RoundWindow,
  modelShare: number,
  inputs: number,
): NonNullable<MeasuredRun['steady']> {
  const rounds = window.last - window.first + 1;
  const perRound = observation.instructions(workers, window) / rounds;
  const perInput = observation.instructions(workers) / inputs;
  return {
    rounds,
    inferencesPerRound: perRound / perInput,
    modelInstructionsPerRound: perRound * modelShare,
  };
}
