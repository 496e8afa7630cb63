import {
  elementCount,
  encodeBundle,
  joinRows,
  maxMessageBytes,
  type BundleTensor,
  type Plan,
} from '@canopy/protocol';
import { openIc, type IcChoice } from './ic/open.js';
import { measureModelOn } from './measure/model.js';
import { usdPerXdr } from './measure/money.js';
import type { RunSpec } from './measure/run.js';
import type { BenchModel } from './models/catalogue.js';
import { floatTensor, int64Tensor } from './models/inputs.js';
import { Random } from './models/random.js';
import { openReference } from './reference.js';
import { modelResult } from './results/models.js';
import {
  schemaVersion,
  type BenchResult,
  type CostSchedule,
  type IcAbout,
  type MeasuredRun,
} from './results/schema.js';
import { planModel, requestsPerLane } from '@canopy/partitioner';

/** What to measure of one's own model. */
export interface BenchmarkOptions {
  /** ONNX file. */
  path: string;
  /** Sizes of open dimensions other than the batch. */
  dims?: Readonly<Record<string, number>>;
  /**
   * Pipelines that each number of workers forms.
   * @default 1
   */
  pipelines?: number;
  /** Numbers of workers, inputs a request, requests in flight: every combination is run in way d. */
  workers: readonly number[];
  batches: readonly number[];
  concurrencies: readonly number[];
  /**
   * Requests of each run.
   * @default twice as many as are in flight
   */
  requests?: number;
  /**
   * The IC to measure on.
   * @default the embedded one
   */
  ic?: IcChoice;
  /**
   * Cost schedules of the embedded IC; others have their own.
   * @default 2026-07
   */
  costSchedules?: readonly CostSchedule[];
  /** Written into the result. */
  canopyVersion: string;
  /** Told of each run when it is done. */
  onRun?: (run: MeasuredRun) => void;
}

function specs(options: BenchmarkOptions, workers: number): RunSpec[] {
  const { batches, concurrencies } = options;
  // Enough that a full pipeline shows; a plan's forecast names as many, or says how many.
  const requestsFor = (concurrency: number): number =>
    options.requests ?? concurrency * requestsPerLane;
  const runs = batches.flatMap((batch) =>
    concurrencies.map((concurrency): RunSpec => {
      return { way: 'd', batch, concurrency, requests: requestsFor(concurrency) };
    }),
  );
  const most = Math.max(...concurrencies);
  return workers === 1
    ? [{ way: 'a', batch: 1, concurrency: most, requests: most }, ...runs]
    : runs;
}

/**
 * One row for each of a model's inputs: numbers from -1 to 1, and ones where a model takes whole
 * numbers (a mask that hides nothing, a token every vocabulary has).
 */
export function randomInput(plan: Plan, seed: number): BundleTensor[] {
  const random = new Random(seed);
  return plan.inputs.map((spec) => {
    const dims = spec.dims.map((dim, axis) => {
      if (typeof dim === 'number') return dim;
      return axis === 0 && plan.rowsIndependent ? 1 : (plan.typicalDims[dim] ?? 1);
    });
    const count = elementCount(dims);
    switch (spec.dtype) {
      case 'float32':
        return floatTensor(spec.name, dims, random.uniform(count));
      case 'int64':
        return int64Tensor(spec.name, dims, new Array<number>(count).fill(1));
      default:
        throw new Error(
          `input "${spec.name}" is ${spec.dtype}; the benchmark makes float32 and int64`,
        );
    }
  });
}

/** A model of the user's own, with random inputs. Throws where it cannot be planned. */
export async function ownModel(
  path: string,
  dims: Readonly<Record<string, number>> = {},
  name?: string,
): Promise<BenchModel> {
  const planned = await planModel(path, { dims: { ...dims }, ...(name !== undefined && { name }) });
  planned.close();
  const { plan } = planned;
  return {
    name: plan.model.name,
    about: path,
    path: () => path,
    dims,
    input: (seed) => randomInput(plan, seed),
  };
}

/** Throws where a request of the largest batch does not fit a message of the IC. */
function checkBatches(model: BenchModel, batches: readonly number[]): void {
  const bytesOf = (batch: number): number =>
    encodeBundle(joinRows(Array.from({ length: batch }, () => model.input(0)))).length;
  const largest = Math.max(...batches);
  const bytes = bytesOf(largest);
  if (bytes <= maxMessageBytes) return;
  const mebibytes = (bytes / 2 ** 20).toFixed(1);
  const fitting = Math.floor((largest * maxMessageBytes) / bytes);
  throw new Error(
    `a request of ${largest} inputs has ${mebibytes} MiB, and the IC takes messages of 2 MiB: ` +
      (fitting === 0 ? 'one input is too large' : `${fitting} inputs fit`),
  );
}

/**
 * Measures one's own model: way a on one worker for comparison, and way d for every combination asked
 * for. Figures as in METHODOLOGY.md; those that the IC does not tell are null. Throws where the model
 * cannot be planned, where the IC cannot be used (`BenchIcError`), where an answer is not that of
 * onnxruntime, or where a request fails.
 *
 * @example
 * const result = await benchmark({
 *   path: 'model.onnx', workers: [1, 4], batches: [1], concurrencies: [1, 16], canopyVersion: '0.1.0',
 * });
 * console.log(runTable(result.runs));
 */
export async function benchmark(options: BenchmarkOptions): Promise<BenchResult<MeasuredRun>> {
  const { canopyVersion, ic: choice = { kind: 'embedded' } } = options;
  const model = await ownModel(options.path, options.dims);
  checkBatches(model, options.batches);
  const reference = await openReference(options.path);
  const runs: MeasuredRun[] = [];
  let about: IcAbout | undefined;
  try {
    for (const costSchedule of options.costSchedules ?? ['2026-07' as const]) {
      for (const workers of options.workers) {
        const ic = await openIc(choice, costSchedule, canopyVersion);
        about = ic.about;
        try {
          const job = {
            model,
            workers,
            pipelines: options.pipelines ?? 1,
            costSchedule: choice.kind === 'embedded' ? costSchedule : null,
            runs: specs(options, workers),
          };
          const outcome = await measureModelOn(
            ic,
            job,
            (inputs) => reference.run(inputs),
            (run) => options.onRun?.(run),
          );
          runs.push(...outcome.runs);
        } finally {
          await ic.close();
        }
      }
    }
  } finally {
    await reference.close();
  }
  return {
    schemaVersion,
    canopyVersion,
    node: process.version,
    ic: about!,
    mode: 'custom',
    usdPerXdr,
    models: [modelResult(model, runs)],
    runs,
  };
}
