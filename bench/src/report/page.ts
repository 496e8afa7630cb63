import { largeSection } from '../large/report.js';
import type { LargeResult } from '../large/result.js';
import { modelCostSection } from '../model-costs/report.js';
import type { ModelCost } from '../model-costs/result.js';
import { bestRate, type BenchResult, type ModelResult, type RunResult } from '../results/schema.js';
import { wayNames } from '../ways.js';
import { batchingOf, timesOf } from './batching.js';
import { pageFigures, type Figure } from './figures.js';
import { count, digits, mebibytes, optional, percent } from './format.js';
import { allGoals } from './goals.js';
import { icText } from './ic-text.js';
import { runTable } from './run-table.js';
import { renderTable } from './table.js';

const left = { align: 'left' } as const;

function goalTable(result: BenchResult): string {
  return renderTable(
    [
      { title: 'goal', ...left, cell: (line) => line.goal },
      { title: 'wanted', ...left, cell: (line) => line.wanted },
      { title: 'measured', ...left, cell: (line) => line.measured },
      {
        title: 'reached',
        ...left,
        cell: (line) => (line.reached === undefined ? '–' : line.reached ? 'yes' : 'no'),
      },
    ],
    allGoals(result),
  );
}

/** A stage of one model with its split of instructions. */
interface StageLine {
  model: string;
  stage: number;
  run: RunResult;
  split: ModelResult['split'][number] | undefined;
}

function stageTable(result: BenchResult): string {
  const lines = result.models.flatMap((model): StageLine[] => {
    const run = result.runs.find(
      (one) =>
        one.model === model.name &&
        one.way === 'd' &&
        one.workers === 4 &&
        one.pipelines === 1 &&
        one.batch === 1 &&
        one.concurrency > 1 &&
        one.costSchedule === '2026-07',
    );
    if (!run) return [];
    const { split, name } = model;
    return run.stages.map((_, stage) => ({ model: name, stage, run, split: split[stage] }));
  });
  const stageOf = ({ run, stage }: StageLine) => run.stages[stage]!;
  return renderTable<StageLine>(
    [
      { title: 'model', ...left, cell: (line) => line.model },
      { title: 'stage', cell: (line) => String(line.stage) },
      { title: 'nodes', cell: (line) => String(stageOf(line).nodes) },
      { title: 'weights MiB', cell: (line) => mebibytes(stageOf(line).weightsBytes) },
      { title: 'counted', cell: (line) => count(stageOf(line).counted) },
      {
        title: 'predicted',
        cell: (line) => percent(stageOf(line).predicted / stageOf(line).counted),
      },
      { title: 'kernels', cell: (line) => optional(line.split?.kernels, count) },
      {
        title: 'a multiply-add',
        cell: (line) =>
          optional(line.split && line.split.kernels / stageOf(line).multiplyAdds, digits),
      },
      { title: 'pages', cell: (line) => count(stageOf(line).pages) },
      { title: 'interpreter', cell: (line) => optional(line.split?.interpreter, count) },
      { title: 'messages', cell: (line) => optional(line.split?.messages, count) },
      { title: 'bytes sent', cell: (line) => count(stageOf(line).bytesSent) },
      { title: 'slices full', cell: (line) => percent(stageOf(line).sliceFullness) },
      { title: 'heap MiB', cell: (line) => mebibytes(stageOf(line).heapBytes) },
      { title: 'stable MiB', cell: (line) => mebibytes(stageOf(line).stableBytes) },
    ],
    lines,
  );
}

/** Requests of one row that share tasks, beside larger requests. */
function batchingTable(result: BenchResult): string {
  const lines = batchingOf(result).flatMap((batching) =>
    [batching.singles, ...batching.together].map((run) => ({ batching, run })),
  );
  return renderTable(
    [
      { title: 'model', ...left, cell: ({ run }) => run.model },
      { title: 'rows a request', cell: ({ run }) => String(run.batch) },
      { title: 'requests in flight', cell: ({ run }) => String(run.requests) },
      {
        title: 'workers, an inference',
        cell: ({ run }) => count(run.instructionsPerInput.workers),
      },
      {
        title: 'single rows against it',
        cell: ({ batching, run }) => digits(timesOf(batching, run)),
      },
      {
        title: 'coordinator, a request',
        cell: ({ run }) => count(run.instructionsPerInput.coordinator * run.batch),
      },
      { title: 'inferences a round', cell: ({ run }) => digits(bestRate(run)) },
      { title: 'US$ / 1,000', cell: ({ run }) => digits(run.usdPer1000) },
    ],
    lines,
  );
}

function costTable(result: BenchResult): string {
  const runs = result.runs.filter((run) => ['a', 'd'].includes(run.way) && run.concurrency > 1);
  const lines = runs.flatMap((run) => {
    const same = (other: RunResult): boolean =>
      other.model === run.model &&
      other.way === run.way &&
      other.workers === run.workers &&
      other.pipelines === run.pipelines &&
      other.batch === run.batch &&
      other.concurrency === run.concurrency;
    const before = runs.find((other) => other.costSchedule === '2025-10' && same(other));
    return run.costSchedule === '2026-07' && before ? [{ run, before }] : [];
  });
  return renderTable(
    [
      { title: 'model', ...left, cell: ({ run }) => run.model },
      { title: 'way', cell: ({ run }) => run.way },
      { title: 'workers', cell: ({ run }) => String(run.workers) },
      { title: '2026-07: a round', cell: ({ run }) => digits(bestRate(run)) },
      { title: 'instructions', cell: ({ run }) => count(run.instructionsPerInput.workers) },
      { title: 'US$ / 1,000', cell: ({ run }) => digits(run.usdPer1000) },
      { title: '2025-10: a round', cell: ({ before }) => digits(bestRate(before)) },
      { title: 'instructions', cell: ({ before }) => count(before.instructionsPerInput.workers) },
      { title: 'US$ / 1,000', cell: ({ before }) => digits(before.usdPer1000) },
      { title: 'storage US$ / 30 days', cell: ({ run }) => digits(run.storageUsdPer30Days) },
    ],
    lines,
  );
}

function modelTable(result: BenchResult): string {
  return renderTable(
    [
      { title: 'model', ...left, cell: (model) => model.name },
      { title: 'what', ...left, cell: (model) => model.about },
      { title: 'weights MiB', cell: (model) => mebibytes(model.weightsBytes) },
      { title: 'multiply-adds', cell: (model) => count(model.multiplyAdds) },
      { title: 'input bytes', cell: (model) => count(model.inputBytes) },
      { title: 'seconds, onnxruntime = 1', cell: (model) => optional(model.secondsRatio, digits) },
    ],
    result.models,
  );
}

/** The page about a result, and its figures; links to figures go to `figureFolder`. */
export function benchmarkPage(
  result: BenchResult,
  figureFolder: string,
  large: readonly LargeResult[] = [],
  costs: readonly ModelCost[] = [],
): { markdown: string; figures: Figure[] } {
  const figures = pageFigures(result);
  const show = (file: string): string => {
    const figure = figures.find((one) => one.file === file);
    return figure ? `![${figure.alt}](${figureFolder}/${figure.file})` : '';
  };
  const now = result.runs.filter((run) => run.costSchedule === '2026-07');
  const ways = Object.values(wayNames).join('; ');
  const markdown = `# Benchmarks

Written by \`npm run bench\` from \`bench/results/full.json\`; do not edit. Canopy ${result.canopyVersion}, ${icText(result.ic)}, Node ${result.node}, one application subnet. Every figure is defined in [METHODOLOGY.md](../bench/METHODOLOGY.md). Instructions, rounds, bytes and cycles are exact. A round is about a second on mainnet.

## Goals

${goalTable(result)}

## Four ways to run a model

${ways}. On one pipeline of 4 workers, way a on one worker; each way at its best load. Beside them the same 4 workers in the pipelines that the planner chooses, each with the whole model.

${show('times-one-canister.svg')}

## Workers

In one pipeline, or in several where those were faster.

${show('over-workers.svg')}

## Where instructions go

${show('instructions.svg')}

By stage, way d on one pipeline of 4 workers, an input, schedule 2026-07:

${stageTable(result)}

## Requests batched across callers

Each request is of a caller of its own; rows of several requests share tasks. Way d on one pipeline of 4 workers, schedule 2026-07, instructions:

${batchingTable(result)}

## How rounds are used

Share of the workers' instructions that ran while so many of them were at work:

${show('at-work.svg')}

## Every run, schedule 2026-07

${runTable(now)}

## Cost, both schedules

At ${digits(result.usdPerXdr)} US dollars an XDR.

${costTable(result)}

## Models

${modelTable(result)}
${loadSection(result)}${largeSection(large)}${modelCostSection(costs)}`;
  return { markdown, figures };
}

function loadSection(result: BenchResult): string {
  if (!result.load) return '';
  const { callers, flood, coordinator } = result.load;
  return `
## Many callers

- ${callers.callers} callers at once, ${callers.requests} requests: ${callers.failed} failed, ${callers.swapped} results swapped, most to least served ${digits(callers.mostToLeastServed)}; heap of the canisters grew by ${callers.heapGrowthBytes.join(', ')} bytes from request 100 to the last.
- Flood of ${flood.sent} requests of one caller: ${flood.refused} refused as busy, ${flood.lost} lost; another caller waited ${flood.besideRounds} rounds beside it, ${flood.aloneRounds} at the same load per caller.
- Coordinator: ${count(coordinator.first)} instructions a request of one micro-batch, ${count(coordinator.further)} for each further one.
`;
}
