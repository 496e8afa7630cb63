import { isObserved, type MeasuredRun } from '../results/schema.js';
import { count, digits, mebibytes, optional, percent } from './format.js';
import { modelRate } from './goals.js';
import { renderTable, type Column } from './table.js';

const left = { align: 'left' } as const;

/** What was run. */
const load: readonly Column<MeasuredRun>[] = [
  { title: 'model', ...left, cell: (run) => run.model },
  { title: 'way', cell: (run) => run.way },
  { title: 'workers', cell: (run) => String(run.workers) },
  { title: 'pipelines', cell: (run) => String(run.pipelines) },
  { title: 'batch', cell: (run) => String(run.batch) },
  { title: 'in flight', cell: (run) => String(run.concurrency) },
];

/** How fast, where rounds are counted; and how well they were used. */
const inRounds: readonly Column<MeasuredRun>[] = [
  { title: 'inferences a round', cell: (run) => optional(run.inferencesPerRound, digits) },
  { title: 'steady', cell: (run) => optional(run.steady?.inferencesPerRound, digits) },
  { title: 'predicted', cell: (run) => optional(run.predicted?.inferencesPerRound, digits) },
  {
    title: 'model instr. a round',
    cell: (run) => (isObserved(run) ? count(modelRate(run)) : '–'),
  },
  { title: 'rounds, median', cell: (run) => optional(run.rounds?.median, String) },
  { title: '95 %', cell: (run) => optional(run.rounds?.p95, String) },
  { title: 'slices full', cell: (run) => optional(run.sliceFullness, percent) },
  { title: 'heap MiB a round', cell: (run) => optional(run.heapChangedPerRound, mebibytes) },
];

/** How fast, where there is only the clock. */
const inSeconds: readonly Column<MeasuredRun>[] = [
  { title: 'inferences a second', cell: (run) => optional(run.inferencesPerSecond, digits) },
  { title: 'seconds, median', cell: (run) => optional(run.seconds?.median, digits) },
  { title: '95 %', cell: (run) => optional(run.seconds?.p95, digits) },
  { title: 'model instr. an input', cell: (run) => count(run.instructionsPerInput.model) },
];

const cost: readonly Column<MeasuredRun>[] = [
  { title: 'cycles / 1,000', cell: (run) => optional(run.cyclesPer1000, count) },
  { title: 'US$ / 1,000', cell: (run) => optional(run.usdPer1000, digits) },
];

/**
 * Runs of one IC as a table in Markdown, padded for terminals: one line a run, its time in the unit of
 * the IC, a dash where the IC does not tell.
 */
export function runTable(runs: readonly MeasuredRun[]): string {
  const speed = runs[0]?.unit === 'second' ? inSeconds : inRounds;
  return renderTable([...load, ...speed, ...cost], runs);
}
