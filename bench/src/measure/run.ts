import { predictLoad } from '@canopy/partitioner';
import {
  byPipeline,
  encodeBundle,
  type BundleTensor,
  type Plan,
  type WorkerStatus,
} from '@canopy/protocol';
import { callerName } from '../ic/embedded.js';
import { isRoundIc, type BenchIc } from '../ic/round-ic.js';
import { runLoad, type LoadLog } from '../load/run-load.js';
import type { BenchModel } from '../models/catalogue.js';
import {
  isObserved,
  type CostSchedule,
  type MeasuredRun,
  type MeasuredStage,
  type RunResult,
  type Way,
} from '../results/schema.js';
import { waySettings } from '../ways.js';
import { firstWrongAnswer, inputsOf } from './answers.js';
import type { Deployed } from './deployment.js';
import { storageUsd, usd } from './money.js';
import { Observation } from './observation.js';
import { sendInference, sentByStage, type InferAnswer } from './request.js';
import { sliceFigures, timeFigures } from './run-figures.js';

/** One line of the table: what to run. */
export interface RunSpec {
  way: Way;
  batch: number;
  concurrency: number;
  requests: number;
}

export interface RunContext {
  model: BenchModel;
  deployed: Deployed<BenchIc>;
  costSchedule: CostSchedule | null;
  /** Outputs that inputs should give; every answer is compared with them. */
  expected(inputs: readonly BundleTensor[]): Promise<BundleTensor[]>;
}

/**
 * Runs a model in one way under one load and gives every figure of it that the IC tells. Throws where
 * a request fails or an answer is not the one expected.
 */
export async function measureRun(context: RunContext, spec: RunSpec): Promise<MeasuredRun> {
  const { deployed, model } = context;
  const { ic, coordinator, workers, plan } = deployed;
  const { batch, concurrency, requests } = spec;
  const settings = waySettings(spec.way, plan);
  const name = await deployed.use(settings);
  const canisters = [coordinator, ...workers];

  await ic.rest();
  const statusBefore = await deployed.status();
  const cyclesBefore = await totalCycles(ic, canisters);
  const observation = observe(ic, plan, workers);
  const startRound = isRoundIc(ic) ? ic.round : 0;
  const load = await runLoad(ic, {
    requests,
    concurrency,
    send: (index, lane) => {
      const bundle = encodeBundle(inputsOf(model, batch, index));
      return sendInference(ic, { caller: callerName(lane), coordinator, model: name, bundle });
    },
  });
  observation?.close();
  await ic.settle();
  const cyclesAfter = await totalCycles(ic, canisters);
  const statusAfter = await deployed.status();
  const wrong = await firstWrongAnswer(load.answers, {
    plan,
    inputs: (request) => inputsOf(model, batch, request),
    expected: (inputs) => context.expected(inputs),
  });
  if (wrong !== undefined) throw new Error(`${model.name}, way ${spec.way}: ${wrong}`);

  const inputs = requests * batch;
  const perInput = (value: number | undefined): number | null =>
    value === undefined ? null : value / inputs;
  const pipelines = byPipeline(workers, plan);
  /** Of a stage in all pipelines. */
  const reported = (
    stage: number,
    field: 'instructions' | 'programInstructions' | 'operatorInstructions',
  ): number => {
    const sum = (statuses: readonly WorkerStatus[]): bigint =>
      byPipeline(statuses, plan).reduce((total, pipeline) => total + pipeline[stage]![field], 0n);
    return Number(sum(statusAfter) - sum(statusBefore));
  };
  const program = plan.stages.reduce(
    (sum, { index }) => sum + reported(index, 'programInstructions'),
    0,
  );
  const cycles =
    cyclesBefore === null || cyclesAfter === null ? null : Number(cyclesBefore - cyclesAfter);
  const memory = await Promise.all(canisters.map((id) => ic.memory(id)));
  const storedBytes = memory.reduce<number | null>(
    (sum, one) => (sum === null || one === null ? null : sum + one.heapBytes + one.stableBytes),
    0,
  );
  return {
    model: model.name,
    way: spec.way,
    workers: workers.length,
    pipelines: pipelines.length,
    batch,
    concurrency,
    costSchedule: context.costSchedule,
    settings,
    requests,
    ...timeFigures(ic, load, inputs),
    ...sliceFigures(observation, load, { workers, program, inputs, startRound }),
    instructionsPerInput: {
      workers: perInput(observation?.instructions(workers)),
      model: program / inputs,
      pages: perInput(observation?.pageInstructions(workers)),
      coordinator: perInput(observation?.instructions([coordinator])),
    },
    stages: plan.stages.map((stage, index): MeasuredStage => {
      const holders = pipelines.map((pipeline) => pipeline[index]!);
      return {
        nodes: stage.nodes,
        weightsBytes: stage.weightsBytes,
        multiplyAdds: stage.multiplyAdds,
        predicted: predictedPerInput(plan, index, Math.min(batch, settings.microBatchRows)),
        counted: perInput(observation?.instructions(holders)),
        reported: reported(index, 'instructions') / inputs,
        pages: perInput(observation?.pageInstructions(holders)),
        program: reported(index, 'programInstructions') / inputs,
        operators: reported(index, 'operatorInstructions') / inputs,
        bytesSent: stageBytes(load, index) / inputs,
        sliceFullness: observation?.sliceFullness(holders) ?? null,
        heapBytes: memory[index + 1]?.heapBytes ?? null,
        stableBytes: memory[index + 1]?.stableBytes ?? null,
      };
    }),
    cyclesPer1000: cycles === null ? null : (cycles / inputs) * 1000,
    usdPer1000: cycles === null ? null : usd((cycles / inputs) * 1000),
    storageUsdPer30Days: storedBytes === null ? null : storageUsd(storedBytes),
    coordinator: memory[0] ?? null,
    predicted: predictedRun(plan, spec, context.costSchedule, inputsOf(model, batch, 0)),
  };
}

/** What the planner expects of a load in its own way and under the schedule it planned for. */
function predictedRun(
  plan: Plan,
  { way, batch, concurrency, requests }: RunSpec,
  costSchedule: CostSchedule | null,
  inputs: readonly BundleTensor[],
): MeasuredRun['predicted'] {
  if (way !== 'd' || costSchedule !== plan.costSchedule) return null;
  const bytes = inputs.reduce((sum, tensor) => sum + tensor.data.length, 0);
  const load = { requests, concurrency, rows: batch, bytes };
  const { rounds, steadyPerRound } = predictLoad(plan, load);
  return { rounds, inferencesPerRound: (steadyPerRound ?? requests / rounds) * batch };
}

/** A run on the embedded IC, every slice of which was observed. */
export function observedRun(run: MeasuredRun): RunResult {
  if (!isObserved(run)) throw new Error(`${run.model}: slices were not observed`);
  return run;
}

function observe(ic: BenchIc, plan: Plan, workers: readonly string[]): Observation | undefined {
  if (!isRoundIc(ic) || !ic.observe) return undefined;
  const heads = byPipeline(workers, plan).map(([head]) => head!);
  const observation = new Observation(workers, heads);
  ic.observe(observation);
  return observation;
}

/** Null where one of the balances is not known. */
async function totalCycles(ic: BenchIc, canisters: readonly string[]): Promise<bigint | null> {
  const balances = await Promise.all(canisters.map((id) => ic.cyclesBalance(id)));
  return balances.reduce<bigint | null>(
    (sum, balance) => (sum === null || balance === null ? null : sum + balance),
    0n,
  );
}

/** Bytes that a stage sent for all requests of a load. */
function stageBytes({ answers }: LoadLog<InferAnswer>, stage: number): number {
  return answers.reduce((sum, { answer }) => sum + (sentByStage(answer)[stage] ?? 0), 0);
}

/** The plan's prediction for one input when so many share a message; the nearest it holds. */
function predictedPerInput(plan: Plan, stage: number, rows: number): number {
  const { predictions } = plan.stages[stage]!;
  const nearest = predictions.reduce((best, one) =>
    Math.abs(one.rows - rows) < Math.abs(best.rows - rows) ? one : best,
  );
  return nearest.instructions / nearest.rows;
}
