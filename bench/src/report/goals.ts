import { bestRate, type BenchResult, type RunResult } from '../results/schema.js';
import { batchingOf, timesOf, type Batching } from './batching.js';
import { count, digits, percent } from './format.js';

/** A goal of the project beside what was measured. */
export interface GoalLine {
  goal: string;
  wanted: string;
  measured: string;
  reached: boolean | undefined;
}

const B = 1e9;
/** A model from so many instructions an input on is large enough for goals about speed. */
const largeModel = 1 * B;
/** Most work of one round of a chain for one request: two messages just under the slice. */
const roundOfOneRequest = 3.8 * B;

export interface Filter {
  way: RunResult['way'];
  workers: number;
  /** Any number where it is left out. */
  pipelines?: number;
}

export function runsOf(result: BenchResult, { way, workers, pipelines }: Filter): RunResult[] {
  return result.runs.filter(
    (run) =>
      run.costSchedule === '2026-07' &&
      run.way === way &&
      run.workers === workers &&
      (pipelines === undefined || run.pipelines === pipelines),
  );
}

/** The run with the most inferences a round; undefined of none. */
export function fastest(runs: readonly RunResult[]): RunResult | undefined {
  return runs.toSorted((a, b) => bestRate(b) - bestRate(a))[0];
}

export function modelRate(run: RunResult): number {
  return run.steady?.modelInstructionsPerRound ?? bestRate(run) * run.instructionsPerInput.model;
}

function isLarge(run: RunResult): boolean {
  return run.instructionsPerInput.model > largeModel;
}

/** How the workers of a run stand: pipelines times stages. */
function shapeText({ workers, pipelines }: RunResult): string {
  return ` as ${pipelines} × ${workers / pipelines}`;
}

function names(runs: readonly RunResult[], figure: (run: RunResult) => string): string {
  return runs.map((run) => `${run.model} ${figure(run)}${shapeText(run)}`).join(', ');
}

/** A goal that every one of some runs must reach. */
function forAll(
  goal: string,
  wanted: string,
  runs: readonly RunResult[],
  figure: (run: RunResult) => string,
  reached: (run: RunResult) => boolean,
): GoalLine {
  const measured = runs.length === 0 ? 'not run' : names(runs, figure);
  return { goal, wanted, measured, reached: runs.length === 0 ? undefined : runs.every(reached) };
}

function modelNames(result: BenchResult): string[] {
  return result.models.map((model) => model.name);
}

/** Of each model the fastest of its runs in a way on so many workers. */
function fastestOfEach(result: BenchResult, filter: Filter): RunResult[] {
  const runs = runsOf(result, filter);
  return modelNames(result).flatMap(
    (name) => fastest(runs.filter((run) => run.model === name)) ?? [],
  );
}

/**
 * A rate, and where it misses the goal what eats the difference: how far the slowest stage is above the
 * mean, how full slices are, and the share of the work done while all stages were at work.
 */
function rateAgainst(goal: number): (run: RunResult) => string {
  return (run) => {
    const rate = count(modelRate(run));
    if (modelRate(run) >= goal) return rate;
    const stages = run.stages.map((stage) => stage.counted);
    const mean = stages.reduce((sum, value) => sum + value, 0) / stages.length;
    return (
      `${rate} (slowest stage ${digits(Math.max(...stages) / mean)} of the mean, slices ` +
      `${percent(run.sliceFullness)} full, all at work ${percent(run.atWork.at(-1) ?? 0)})`
    );
  };
}

/** What pipelines do that cut the model, as one gets that is too large for a worker; not a goal. */
function cutModels(result: BenchResult, workers: number): GoalLine {
  const runs = runsOf(result, { way: 'd', workers });
  const cutting = new Set(runs.map(({ pipelines }) => pipelines).filter((one) => one < workers));
  const best = [...cutting]
    .sort((a, b) => a - b)
    .flatMap((pipelines) => fastestOfEach(result, { way: 'd', workers, pipelines }))
    .filter(isLarge);
  return {
    goal: `${workers} workers in pipelines that cut the model`,
    wanted: '–',
    measured: best.length === 0 ? 'not run' : names(best, rateAgainst(12 * B)),
    reached: undefined,
  };
}

/** The goals that runs of models tell something about. */
export function modelGoals(result: BenchResult): GoalLine[] {
  const onFour = fastestOfEach(result, { way: 'd', workers: 4 }).filter(isLarge);
  const onEight = fastestOfEach(result, { way: 'd', workers: 8 }).filter(isLarge);
  const eightInFlight = runsOf(result, { way: 'd', workers: 4 }).filter((run) => {
    const stages = run.stages.map((stage) => stage.counted);
    const inRange = Math.max(...stages) <= 1.9 * B && Math.min(...stages) >= 0.25 * B;
    return run.batch === 1 && run.concurrency === 8 && run.requests > 8 && inRange;
  });
  const alone = runsOf(result, { way: 'd', workers: 4 }).filter((run) => run.concurrency === 1);
  const most = (run: RunResult): number =>
    Math.ceil(run.instructionsPerInput.workers / roundOfOneRequest) + 1;
  const ways = onFour.map((d) => {
    const a = fastest(runsOf(result, { way: 'a', workers: 1 }).filter((r) => r.model === d.model));
    return { run: d, times: a ? bestRate(d) / bestRate(a) : NaN };
  });
  return [
    forAll(
      '4 workers, plenty in flight: model instructions a round',
      '12 B or more',
      onFour,
      rateAgainst(12 * B),
      (run) => modelRate(run) >= 12 * B,
    ),
    cutModels(result, 4),
    forAll(
      '4 workers, 8 in flight, stages of 0.25 to 1.9 B: model instructions a round',
      '6 B or more',
      eightInFlight,
      rateAgainst(6 * B),
      (run) => modelRate(run) >= 6 * B,
    ),
    forAll(
      'way d on 4 workers against way a, models above 1 B',
      '4 times or more',
      ways.map(({ run }) => run),
      (run) => digits(ways.find((way) => way.run === run)!.times),
      (run) => ways.find((way) => way.run === run)!.times >= 4,
    ),
    forAll(
      'one request alone through 4 workers: rounds',
      'instructions / 3.8 B, rounded up, + 1',
      alone,
      (run) => `${run.rounds.median} of ${most(run)}`,
      (run) => run.rounds.median <= most(run),
    ),
    forAll(
      '8 workers on one subnet, plenty in flight: model instructions a round',
      '12 B or more',
      onEight,
      rateAgainst(12 * B),
      (run) => modelRate(run) >= 12 * B,
    ),
    cutModels(result, 8),
    ...batchingGoals(result),
    ...predictionGoals(result),
    ...autoGoal(result),
  ];
}

/** What requests of one row in flight cost beside the same rows in larger requests. */
function batchingGoals(result: BenchResult): GoalLine[] {
  const all = batchingOf(result);
  const largest = ({ together }: Batching): RunResult => together.at(-1)!;
  const against = (one: Batching, other: RunResult): string =>
    `${one.singles.model} ${digits(timesOf(one, other))} (${one.singles.requests} against ` +
    `${other.requests} of ${other.batch})`;
  const lines: GoalLine[] = [];
  if (all.length > 0) {
    lines.push({
      goal: 'requests of one row in flight: instructions of workers an inference, against the same rows in requests as large as a message holds',
      wanted: 'at most 1.05 times',
      measured: all.map((one) => against(one, largest(one))).join(', '),
      reached: all.every((one) => timesOf(one, largest(one)) <= 1.05),
    });
  }
  const digitsCnn = all.find(({ singles }) => singles.model === 'digits-cnn');
  const eight = digitsCnn?.together.find(({ batch }) => batch === 8);
  if (digitsCnn && eight) {
    lines.push({
      goal: 'the same, digits-cnn against requests of 8 rows',
      wanted: 'at most 1.2 times',
      measured: against(digitsCnn, eight),
      reached: timesOf(digitsCnn, eight) <= 1.2,
    });
  }
  return lines;
}

/** How far a prediction is from what was counted, as a part of that. */
function off(predicted: number, counted: number): number {
  return Math.abs(predicted / counted - 1);
}

function worst(runs: readonly RunResult[], error: (run: RunResult) => number): RunResult[] {
  const models = [...new Set(runs.map((run) => run.model))];
  return models.map(
    (model) =>
      runs.filter((run) => run.model === model).toSorted((x, y) => error(y) - error(x))[0]!,
  );
}

/** The planner's figures against those counted, of every run in its own way. */
function predictionGoals(result: BenchResult): GoalLine[] {
  const runs = result.runs.filter((run) => run.predicted !== null);
  const rate = (run: RunResult): number => off(run.predicted!.inferencesPerRound, bestRate(run));
  const rounds = (run: RunResult): number => off(run.predicted!.rounds, run.rounds.total);
  const shown = (error: (run: RunResult) => number) => (run: RunResult) =>
    `${percent(error(run))} off (${run.concurrency} in flight)`;
  return [
    forAll(
      'predicted inferences a round, worst run of each model',
      'within 10 %',
      worst(runs, rate),
      shown(rate),
      (run) => rate(run) <= 0.1,
    ),
    forAll(
      'predicted rounds of a load, worst run of each model',
      'within 10 %',
      worst(runs, rounds),
      shown(rounds),
      (run) => rounds(run) <= 0.1,
    ),
  ];
}

/** The workers and pipelines that `auto` chooses against the best that was measured. */
function autoGoal(result: BenchResult): GoalLine[] {
  const models = result.models.filter((model) => model.autoWorkers !== undefined);
  if (models.length === 0) return [];
  const lines = models.map(({ name, autoWorkers, autoPipelines = 1 }) => {
    const runs = result.runs.filter((run) => run.model === name && run.costSchedule === '2026-07');
    const own = fastest(
      runs.filter((run) => run.workers === autoWorkers && run.pipelines === autoPipelines),
    );
    const part = own ? bestRate(own) / bestRate(fastest(runs)!) : NaN;
    const shape = own ? shapeText(own) : '';
    return { part, text: `${name} ${autoWorkers} workers${shape}, ${percent(part)}` };
  });
  return [
    {
      goal: '`--workers auto --for throughput` against the best row',
      wanted: 'at most 5 % worse',
      measured: lines.map(({ text }) => text).join(', '),
      reached: lines.every(({ part }) => part >= 0.95),
    },
  ];
}

/** The goals about fairness, steadiness and the coordinator. */
function loadGoals({ load }: BenchResult): GoalLine[] {
  if (!load) return [];
  const { callers, flood, coordinator } = load;
  const waits = flood.besideRounds / flood.aloneRounds;
  return [
    {
      goal: 'coordinator: instructions a request; each further micro-batch',
      wanted: '20 M; 3 M besides bytes',
      measured: `${count(coordinator.first)}; ${count(coordinator.further)}`,
      reached: coordinator.first <= 20e6 && coordinator.further <= 3e6,
    },
    {
      goal: `${callers.callers} callers, ${callers.requests} requests`,
      wanted: 'no error, none swapped, most to least served at most 1.2, heap the same',
      measured:
        `${callers.failed} errors, ${callers.swapped} swapped, ` +
        `${digits(callers.mostToLeastServed)}, heap +${Math.max(...callers.heapGrowthBytes)} bytes`,
      reached:
        callers.failed + callers.swapped === 0 &&
        callers.mostToLeastServed <= 1.2 &&
        Math.max(...callers.heapGrowthBytes) === 0,
    },
    {
      goal: 'one caller floods: wait of another',
      wanted: 'at most 2 times, none lost',
      measured: `${digits(waits)} times, ${flood.lost} lost, ${flood.refused} refused`,
      reached: waits <= 2 && flood.lost === 0,
    },
  ];
}

/** Every goal a result tells something about. */
export function allGoals(result: BenchResult): GoalLine[] {
  return [...modelGoals(result), ...loadGoals(result)];
}
