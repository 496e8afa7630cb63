import { encodeBundle, joinRows, type BundleTensor, type Plan } from '@canopy/protocol';
import { callerName } from '../ic/embedded.js';
import type { RoundIc } from '../ic/round-ic.js';
import { closedLoop, requestRounds, type RequestLog } from '../load/closed-loop.js';
import { percentile } from '../load/percentile.js';
import type { BenchModel } from '../models/catalogue.js';
import { firstDifference } from '../reference.js';
import type { CostSchedule, RunResult, StageResult, Way } from '../results/schema.js';
import { waySettings } from '../ways.js';
import type { Deployed } from './deployment.js';
import { storageUsd, usd } from './money.js';
import { Observation, type RoundWindow } from './observation.js';
import { outputsOf, sendInference, sentByStage, type InferAnswer } from './request.js';

/** One line of the table: what to run. */
export interface RunSpec {
  way: Way;
  batch: number;
  concurrency: number;
  requests: number;
}

export interface RunContext {
  model: BenchModel;
  deployed: Deployed;
  costSchedule: CostSchedule;
  /** Outputs that inputs should give; for the check of the first answer. */
  expected(inputs: readonly BundleTensor[]): Promise<BundleTensor[]>;
}

function inputsOf(model: BenchModel, batch: number, request: number): BundleTensor[] {
  return joinRows(Array.from({ length: batch }, (_, row) => model.input(request * batch + row)));
}

/** Runs a model in one way under one load and gives every figure of it. */
export async function measureRun(context: RunContext, spec: RunSpec): Promise<RunResult> {
  const { deployed, model } = context;
  const { ic, coordinator, workers, plan } = deployed;
  const { batch, concurrency, requests } = spec;
  const settings = waySettings(spec.way, plan);
  const name = await deployed.use(settings);
  const canisters = [coordinator, ...workers];

  const statusBefore = await deployed.status();
  const cyclesBefore = await totalCycles(ic, canisters);
  await ic.rest();
  const observation = new Observation(workers);
  ic.observe(observation);
  const startRound = ic.round;
  const log = await closedLoop(ic, {
    requests,
    concurrency,
    send: (index, lane) => {
      const bundle = encodeBundle(inputsOf(model, batch, index));
      return sendInference(ic, { caller: callerName(lane), coordinator, model: name, bundle });
    },
  });
  observation.close();
  const rounds = ic.round - startRound;
  const cycles = Number(cyclesBefore - (await totalCycles(ic, canisters)));
  const statusAfter = await deployed.status();

  for (const { answer } of log) {
    if (answer.kind === 'error') {
      throw new Error(`a request failed: [${answer.code}] ${answer.message}`);
    }
  }
  const first = log.find((entry) => entry.index === 0)!;
  const difference = firstDifference(
    outputsOf(plan, first.answer),
    await context.expected(inputsOf(model, batch, 0)),
  );
  if (difference !== undefined) {
    throw new Error(`${model.name}, way ${spec.way}: the answer is wrong: ${difference}`);
  }
  const inputs = requests * batch;
  const difference64 = (stage: number, field: 'programInstructions' | 'operatorInstructions') =>
    Number(statusAfter[stage]![field] - statusBefore[stage]![field]);
  const program = workers.reduce(
    (sum, _, stage) => sum + difference64(stage, 'programInstructions'),
    0,
  );
  const workerInstructions = observation.instructions(workers);
  const modelShare = workerInstructions === 0 ? 0 : program / workerInstructions;
  const window = observation.steadyWindow(Math.min(...log.map((entry) => entry.answeredRound)));
  const memory = await Promise.all(canisters.map((id) => ic.memory(id)));
  const roundsOfRequests = log.map(requestRounds);
  return {
    model: model.name,
    way: spec.way,
    workers: workers.length,
    batch,
    concurrency,
    costSchedule: context.costSchedule,
    settings,
    requests,
    rounds: {
      total: rounds,
      median: percentile(roundsOfRequests, 0.5),
      p95: percentile(roundsOfRequests, 0.95),
    },
    inferencesPerRound: inputs / rounds,
    steady: window ? steadyFigures(observation, workers, window, modelShare, inputs) : null,
    instructionsPerInput: {
      workers: workerInstructions / inputs,
      model: program / inputs,
      pages: observation.pageInstructions(workers) / inputs,
      coordinator: observation.instructions([coordinator]) / inputs,
    },
    stages: plan.stages.map((stage, index): StageResult => {
      const worker = workers[index]!;
      return {
        nodes: stage.nodes,
        weightsBytes: stage.weightsBytes,
        multiplyAdds: stage.multiplyAdds,
        predicted: predictedPerInput(plan, index, Math.min(batch, settings.microBatchRows)),
        counted: observation.instructions([worker]) / inputs,
        pages: observation.pageInstructions([worker]) / inputs,
        program: difference64(index, 'programInstructions') / inputs,
        operators: difference64(index, 'operatorInstructions') / inputs,
        bytesSent: stageBytes(log, index) / inputs,
        sliceFullness: observation.sliceFullness([worker]),
        ...memory[index + 1]!,
      };
    }),
    sliceFullness: observation.sliceFullness(),
    atWork: observation.atWork(window),
    heapChangedPerRound: observation.heapChangedPerRound(
      window ?? { first: startRound + 1, last: ic.round },
    ),
    cyclesPer1000: (cycles / inputs) * 1000,
    usdPer1000: usd((cycles / inputs) * 1000),
    storageUsdPer30Days: storageUsd(
      memory.reduce((sum, one) => sum + one.heapBytes + one.stableBytes, 0),
    ),
    coordinator: memory[0]!,
    predicted: null,
  };
}

async function totalCycles(ic: RoundIc, canisters: readonly string[]): Promise<bigint> {
  const balances = await Promise.all(canisters.map((id) => ic.cyclesBalance(id)));
  return balances.reduce((sum, balance) => sum + balance, 0n);
}

/** Bytes that a stage sent for all requests of a log. */
function stageBytes(log: readonly RequestLog<InferAnswer>[], stage: number): number {
  return log.reduce((sum, { answer }) => sum + (sentByStage(answer)[stage] ?? 0), 0);
}

/** The plan's prediction for one input when so many share a message; the nearest it holds. */
function predictedPerInput(plan: Plan, stage: number, rows: number): number {
  const { predictions } = plan.stages[stage]!;
  const nearest = predictions.reduce((best, one) =>
    Math.abs(one.rows - rows) < Math.abs(best.rows - rows) ? one : best,
  );
  return nearest.instructions / nearest.rows;
}

function steadyFigures(
  observation: Observation,
  workers: readonly string[],
  window: RoundWindow,
  modelShare: number,
  inputs: number,
): NonNullable<RunResult['steady']> {
  const rounds = window.last - window.first + 1;
  const perRound = observation.instructions(workers, window) / rounds;
  const perInput = observation.instructions(workers) / inputs;
  return {
    rounds,
    inferencesPerRound: perRound / perInput,
    modelInstructionsPerRound: perRound * modelShare,
  };
}
