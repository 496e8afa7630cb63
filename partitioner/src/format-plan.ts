import { workerCount } from '@canopy/protocol';
import cycles from './cost/cycles.json' with { type: 'json' };
import { requestsPerLane, type Expectation } from './cut/expectation.js';
import { maxHeapBytes, type PlannedModel } from './plan-model.js';
import type { WeightSizes } from './weight-sizes.js';

const { usDollarsPerTrillion } = cycles;

function mebibytes(bytes: number): string {
  return (bytes / 1024 ** 2).toFixed(2);
}
function millions(instructions: number): string {
  return (instructions / 1e6).toFixed(1);
}

/** One row of the table a plan is shown as. */
export interface PlanRow {
  stage: number;
  nodes: number;
  weightsMiB: string;
  /** For one micro-batch. */
  millionInstructions: string;
  messages: number;
  kibReceived: string;
  kibSent: string;
  scratchMiB: string;
  /** Of the worker, once it has worked on one. */
  heapMiB: string;
}

/** What a plan says of each stage, for its largest micro-batch. */
export function describePlan({
  plan,
  heapBytes,
}: Pick<PlannedModel, 'plan' | 'heapBytes'>): PlanRow[] {
  return plan.stages.map((stage) => {
    const predicted = stage.predictions.at(-1)!;
    return {
      stage: stage.index,
      nodes: stage.nodes,
      weightsMiB: mebibytes(stage.weightsBytes),
      millionInstructions: millions(predicted.instructions),
      messages: predicted.messages,
      kibReceived: (predicted.bytesReceived / 1024).toFixed(1),
      kibSent: (predicted.bytesSent / 1024).toFixed(1),
      scratchMiB: mebibytes(predicted.scratchBytes),
      heapMiB: mebibytes(heapBytes[stage.index]!),
    };
  });
}

const titles: Record<keyof PlanRow, string> = {
  stage: 'stage',
  nodes: 'nodes',
  weightsMiB: 'weights MiB',
  millionInstructions: 'M instructions',
  messages: 'messages',
  kibReceived: 'KiB in',
  kibSent: 'KiB out',
  scratchMiB: 'scratch MiB',
  heapMiB: 'heap MiB',
};

/** `1 stage`, `2 stages`. */
function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** Three digits, and all before the point. */
function digits(value: number): string {
  return value >= 1000 ? value.toFixed(0) : value.toPrecision(3);
}

/** `64 requests of 8 rows in flight (canopy bench --workers 4 --pipelines 2 --batch 8 --concurrency 64)` */
function loadText({ workers, pipelines, load }: Expectation): string {
  const { concurrency, requests, rowsPerRequest } = load;
  const shape = `--workers ${workers}${pipelines > 1 ? ` --pipelines ${pipelines}` : ''}`;
  return (
    `${concurrency} requests of ${counted(rowsPerRequest, 'row')} in flight ` +
    `(canopy bench ${shape} --batch ${rowsPerRequest} --concurrency ${concurrency}` +
    `${requests === concurrency * requestsPerLane ? '' : ` --requests ${requests}`})`
  );
}

function shapeText(pipelines: number, workers: number): string {
  return `${counted(pipelines, 'pipeline')} of ${counted(workers / pipelines, 'stage')}`;
}

/** Of what `auto` has looked at, for each number of workers the fastest, and what was chosen. */
function chosenAmong(chosen: Expectation, considered: readonly Expectation[]): string[] {
  const fastestOf = (count: number): Expectation =>
    considered
      .filter(({ workers }) => workers === count)
      .reduce((best, one) => (one.inferencesPerRound > best.inferencesPerRound ? one : best));
  const shown = considered.filter((one) => one === chosen || one === fastestOf(one.workers));
  const width = Math.max(
    ...shown.map(({ pipelines, workers }) => shapeText(pipelines, workers).length),
  );
  return shown.map((one) => {
    const { workers, pipelines, load, inferencesPerRound, roundsForOne } = one;
    return (
      `${one === chosen ? '->' : '  '} ${String(workers).padStart(3)} workers, ` +
      `${shapeText(pipelines, workers).padEnd(width)}: ` +
      `${digits(inferencesPerRound)} inferences a round in requests of ${load.rowsPerRequest}, ` +
      `${counted(roundsForOne, 'round')} for one`
    );
  });
}

/** Differences that are not told: less than a hundredth. */
const smallDifference = 0.01;

/** `weights: 1.00 MiB in the file, 2.50 MiB on the workers: +1.50 …`, with what makes the difference. */
function weightsText({ fileBytes, workerBytes, differences }: WeightSizes): string {
  const { cleanUp, severalForms, integers, packing, severalWorkers } = differences;
  const reasons: [number, string][] = [
    [cleanUp, cleanUp > 0 ? 'computed in advance or in a wider type' : 'shared, folded or unused'],
    [severalForms, 'needed in several packings'],
    [integers, 'stored as integers'],
    [packing, 'padding to whole vectors'],
    [severalWorkers, 'needed by several workers'],
  ];
  const told = reasons
    .filter(([bytes]) => Math.abs(bytes) >= smallDifference * Math.max(fileBytes, 1024 ** 2))
    .map(([bytes, why]) => `${bytes > 0 ? '+' : '-'}${mebibytes(Math.abs(bytes))} ${why}`);
  return (
    `weights: ${mebibytes(fileBytes)} MiB in the file, ${mebibytes(workerBytes)} MiB on the workers` +
    (told.length > 0 ? ` (${told.join(', ')})` : '')
  );
}

/** A plan as text for people. */
export function formatPlan(planned: Omit<PlannedModel, 'close'>): string {
  const { plan, nodes } = planned;
  const rows = describePlan(planned);
  const keys = Object.keys(titles) as (keyof PlanRow)[];
  const widths = keys.map((key) =>
    Math.max(titles[key].length, ...rows.map((row) => String(row[key]).length)),
  );
  const line = (cells: readonly (string | number)[]): string =>
    cells.map((cell, index) => String(cell).padStart(widths[index]!)).join('  ');
  const open = Object.entries(plan.typicalDims).map(([name, size]) => `${name} = ${size}`);
  const weights = plan.stages.reduce((sum, stage) => sum + stage.weightsBytes, 0);
  const work = plan.stages.reduce((sum, stage) => sum + stage.predictions.at(-1)!.instructions, 0);
  const { expectation, considered, whyNotCut } = planned;
  return [
    `${plan.model.name}: ${nodes.model} nodes, ${nodes.optimized} after onnxruntime's clean-up, ${nodes.program} operations`,
    (plan.pipelines === 1
      ? `${counted(plan.stages.length, 'stage')}, `
      : `${shapeText(plan.pipelines, workerCount(plan))}, in each `) +
      `${mebibytes(weights)} MiB of weights, micro-batches of ${counted(plan.microBatchRows, 'row')}` +
      (whyNotCut === undefined ? '' : ` (a request is not cut: ${whyNotCut})`),
    weightsText(planned.weights) + (plan.pipelines === 1 ? '' : ' of each pipeline'),
    `heap: at least ${mebibytes(maxHeapBytes - Math.max(...planned.heapBytes))} MiB of each worker are left for ` +
      'requests that wait and results that are kept',
    ...(planned.quantized.length === 0
      ? []
      : [
          `integers: ${planned.quantized.length} matrices, activations in 16 bits a row; ` +
            '--input NAME=FILE measures what that changes',
        ]),
    ...planned.notes.map((note) => `note: ${note}`),
    `predicted ${millions(work)} M instructions a micro-batch, schedule ${plan.costSchedule}` +
      (open.length > 0 ? `, at ${open.join(', ')}` : ''),
    `expected with ${loadText(expectation)}, all workers on one subnet: ${digits(expectation.inferencesPerRound)} inferences a round; ` +
      `${counted(expectation.roundsForOne, 'round')} for one alone; ` +
      `${(expectation.cyclesPerThousand / 1e12).toFixed(3)} T cycles ` +
      `(US$ ${expectation.usDollarsPerThousand.toFixed(2)} at ${usDollarsPerTrillion} a trillion) per 1,000`,
    ...(considered.length > 0 ? ['', ...chosenAmong(expectation, considered)] : []),
    '',
    line(keys.map((key) => titles[key])),
    ...rows.map((row) => line(keys.map((key) => row[key]))),
  ].join('\n');
}
