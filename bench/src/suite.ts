import type { RunSpec } from './measure/run.js';
import type { CostSchedule } from './results/schema.js';

/** Runs of one model on one number of workers under one cost schedule. */
export interface SuiteJob {
  model: string;
  workers: number;
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
  /** Inputs a request of the runs with batches; none where an input fills a message. */
  batches: number[];
  /** Inputs a request of the runs on 2, 3 and 8 workers. */
  batch: number;
}

const amounts: readonly Amount[] = [
  { model: 'digits-cnn', plenty: 64, alone: 64, batches: [8, 32], batch: 1 },
  { model: 'mobilenet-v2', plenty: 32, alone: 16, batches: [], batch: 1 },
  { model: 'ppocr-recognition', plenty: 320, alone: 16, batches: [8], batch: 8 },
  { model: 'sentence-encoder', plenty: 96, alone: 8, batches: [8, 32], batch: 1 },
  { model: 'resnet-50', plenty: 36, alone: 4, batches: [], batch: 1 },
];

/** All of `inputs` in flight from the start. */
function atOnce(way: RunSpec['way'], inputs: number, batch = 1): RunSpec {
  const requests = Math.max(1, Math.round(inputs / batch));
  return { way, batch, concurrency: requests, requests };
}

function oneByOne(way: RunSpec['way'], requests: number): RunSpec {
  return { way, batch: 1, concurrency: 1, requests };
}

function fullJobs({ model, plenty, alone, batches, batch }: Amount): SuiteJob[] {
  const eight: RunSpec = { way: 'd', batch: 1, concurrency: 8, requests: 64 };
  // So many single inputs would take most of the run to enter.
  const singles = Math.min(plenty, 96);
  const four: RunSpec[] = [
    oneByOne('b', 2),
    atOnce('c', singles),
    oneByOne('d', 2),
    ...(plenty > 36 ? [eight] : []),
    atOnce('d', singles),
    ...batches.map((batch) => atOnce('d', plenty, batch)),
  ];
  const now = '2026-07';
  return [
    { model, workers: 4, costSchedule: now, runs: four },
    { model, workers: 1, costSchedule: now, runs: [atOnce('a', alone)] },
    { model, workers: 2, costSchedule: now, runs: [atOnce('d', plenty, batch)] },
    { model, workers: 3, costSchedule: now, runs: [atOnce('d', plenty, batch)] },
    {
      model,
      workers: 8,
      costSchedule: now,
      runs: [oneByOne('d', 1), atOnce('d', batch === 1 ? plenty * 2 : plenty, batch)],
    },
    { model, workers: 1, costSchedule: '2025-10', runs: [atOnce('a', alone)] },
    { model, workers: 4, costSchedule: '2025-10', runs: [atOnce('d', singles)] },
  ];
}

/** Everything `npm run bench` measures of models. */
export function fullSuite(): SuiteJob[] {
  return amounts.flatMap(fullJobs);
}

/** What `npm run bench -- --quick` measures: each way once, on models that cost little. */
export function quickSuite(): SuiteJob[] {
  const jobs = (model: string, inputs: number): SuiteJob[] => [
    {
      model,
      workers: 4,
      costSchedule: '2026-07',
      runs: [oneByOne('b', 2), atOnce('c', inputs), oneByOne('d', 2), atOnce('d', inputs)],
    },
    { model, workers: 1, costSchedule: '2026-07', runs: [atOnce('a', inputs)] },
    { model, workers: 4, costSchedule: '2025-10', runs: [atOnce('d', inputs)] },
  ];
  return [...jobs('digits-cnn', 32), ...jobs('ppocr-recognition', 6)];
}
