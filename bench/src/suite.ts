import type { RunSpec } from './measure/run.js';
import type { CostSchedule } from './results/schema.js';

/** Workers in all, and the pipelines they form. */
export interface Shape {
  workers: number;
  pipelines: number;
}

/** What the planner chooses of a model's shapes for throughput. */
export type ChooseShape = (model: string, workers: number | 'auto') => Promise<Shape>;

/** Runs of one model on one shape under one cost schedule. */
export interface SuiteJob extends Shape {
  model: string;
  costSchedule: CostSchedule;
  runs: RunSpec[];
}

/** How much of each model is run: enough for a steady state, no more. */
interface Amount {
  model: string;
  /** Inputs in flight from which more change nothing, on 4 workers; on 8 twice as many. */
  plenty: number;
  /** Inputs of a run of way a. */
  alone: number;
  /** Inputs a request of the runs with batches, up to what a message holds; all in flight together are `plenty`. */
  batches: number[];
  /** Inputs a request of the runs on other shapes than one pipeline of 4 workers. */
  batch: number;
  /** Whether 4 and 8 workers are also run as pipelines of two stages. */
  twoStages: boolean;
}

const amounts: readonly Amount[] = [
  { model: 'digits-cnn', plenty: 64, alone: 64, batches: [8, 32, 64], batch: 1, twoStages: false },
  { model: 'mobilenet-v2', plenty: 32, alone: 16, batches: [3], batch: 1, twoStages: false },
  { model: 'ppocr-recognition', plenty: 320, alone: 16, batches: [8], batch: 8, twoStages: true },
  { model: 'sentence-encoder', plenty: 96, alone: 8, batches: [8, 32], batch: 1, twoStages: true },
  { model: 'resnet-50', plenty: 36, alone: 4, batches: [3], batch: 1, twoStages: true },
];

const now: CostSchedule = '2026-07';
const before: CostSchedule = '2025-10';

/** All of `inputs` in flight from the start. */
function atOnce(way: RunSpec['way'], inputs: number, batch = 1): RunSpec {
  const requests = Math.max(1, Math.round(inputs / batch));
  return { way, batch, concurrency: requests, requests };
}

function oneByOne(way: RunSpec['way'], requests: number): RunSpec {
  return { way, batch: 1, concurrency: 1, requests };
}

function onePipeline(
  model: string,
  workers: number,
  runs: RunSpec[],
  costSchedule = now,
): SuiteJob {
  return { model, workers, pipelines: 1, costSchedule, runs };
}

async function fullJobs(amount: Amount, choose: ChooseShape): Promise<SuiteJob[]> {
  const { model, plenty, alone, batches, batch, twoStages } = amount;
  const eight: RunSpec = { way: 'd', batch: 1, concurrency: 8, requests: 64 };
  const eightInFlight = plenty > 36 ? [eight] : [];
  // So many single inputs would take most of the run to enter.
  const singles = Math.min(plenty, 96);
  const full = (workers: number): RunSpec =>
    atOnce('d', workers > 4 && batch === 1 ? plenty * 2 : plenty, batch);
  const four: RunSpec[] = [
    oneByOne('b', 2),
    atOnce('c', singles),
    oneByOne('d', 2),
    ...eightInFlight,
    atOnce('d', singles),
    ...batches.map((size) => atOnce('d', plenty, size)),
  ];
  const several = ({ workers, pipelines }: Shape): SuiteJob => {
    const others = workers === 4 ? eightInFlight : [];
    const runs = [oneByOne('d', 2), ...others, full(workers)];
    return { model, workers, pipelines, costSchedule: now, runs };
  };
  const jobs = [
    onePipeline(model, 4, four),
    onePipeline(model, 1, [atOnce('a', alone)]),
    onePipeline(model, 2, [full(2)]),
    onePipeline(model, 3, [full(3)]),
    onePipeline(model, 8, [oneByOne('d', 1), full(8)]),
    onePipeline(model, 1, [atOnce('a', alone)], before),
    onePipeline(model, 4, [atOnce('d', singles)], before),
    ...(twoStages ? [4, 8] : []).map((workers) => several({ workers, pipelines: workers / 2 })),
  ];
  for (const workers of [4, 8, 'auto'] as const) {
    const shape = await choose(model, workers);
    const isKnown = jobs.some(
      (job) => job.workers === shape.workers && job.pipelines === shape.pipelines,
    );
    if (!isKnown) jobs.push(several(shape));
  }
  return jobs;
}

/**
 * Everything `npm run bench` measures of models: one pipeline of 1, 2, 3, 4 and 8 workers, of large
 * models pipelines of two stages, and what the planner chooses of 4, of 8 and of any number.
 */
export async function fullSuite(choose: ChooseShape): Promise<SuiteJob[]> {
  const jobs: SuiteJob[] = [];
  for (const amount of amounts) jobs.push(...(await fullJobs(amount, choose)));
  return jobs;
}

/** What `npm run bench -- --quick` measures: each way once, on models that cost little. */
export function quickSuite(): SuiteJob[] {
  const jobs = (model: string, inputs: number, batches: readonly number[]): SuiteJob[] => {
    const all = atOnce('d', inputs);
    const together = batches.map((size) => atOnce('d', inputs, size));
    const four = [oneByOne('b', 2), atOnce('c', inputs), oneByOne('d', 2), all, ...together];
    return [
      onePipeline(model, 4, four),
      onePipeline(model, 1, [atOnce('a', inputs)]),
      onePipeline(model, 4, [all], before),
      { model, workers: 4, pipelines: 2, costSchedule: now, runs: [all] },
    ];
  };
  return [...jobs('digits-cnn', 64, [8, 64]), ...jobs('ppocr-recognition', 6, [])];
}
