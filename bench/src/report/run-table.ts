import type { RunResult } from '../results/schema.js';
import { count, digits, mebibytes, optional, percent } from './format.js';
import { modelRate } from './goals.js';
import { renderTable, type Column } from './table.js';

const left = { align: 'left' } as const;

/** One line a run: what it was, how fast, at what cost. */
const runColumns: readonly Column<RunResult>[] = [
  { title: 'model', ...left, cell: (run) => run.model },
  { title: 'way', cell: (run) => run.way },
  { title: 'workers', cell: (run) => String(run.workers) },
  { title: 'batch', cell: (run) => String(run.batch) },
  { title: 'in flight', cell: (run) => String(run.concurrency) },
  { title: 'inferences a round', cell: (run) => digits(run.inferencesPerRound) },
  { title: 'steady', cell: (run) => optional(run.steady?.inferencesPerRound, digits) },
  { title: 'model instr. a round', cell: (run) => count(modelRate(run)) },
  { title: 'rounds, median', cell: (run) => String(run.rounds.median) },
  { title: '95 %', cell: (run) => String(run.rounds.p95) },
  { title: 'slices full', cell: (run) => percent(run.sliceFullness) },
  { title: 'heap MiB a round', cell: (run) => mebibytes(run.heapChangedPerRound) },
  { title: 'cycles / 1,000', cell: (run) => count(run.cyclesPer1000) },
  { title: 'US$ / 1,000', cell: (run) => digits(run.usdPer1000) },
];

/** Runs as a table in Markdown, padded for terminals. */
export function runTable(runs: readonly RunResult[]): string {
  return renderTable(runColumns, runs);
}
