import { CoordinatorClient } from '@canopy/client';
import {
  decodeBundle,
  decodeResult,
  encodeBundle,
  joinRows,
  type BundleTensor,
  type Plan,
  type WorkerStatus,
} from '@canopy/protocol';
import { callerName } from '../ic/embedded.js';
import type { Answer, RoundIc } from '../ic/round-ic.js';
import { closedLoop, requestRounds, type RequestLog } from '../load/closed-loop.js';
import { percentile } from '../load/percentile.js';
import type { BenchModel } from '../models/catalogue.js';
import { firstDifference } from '../reference.js';
import type { CostSchedule, RunResult, StageResult, Way } from '../results/schema.js';
import { waySettings } from '../ways.js';
import type { Deployed } from './deployment.js';
import { storageUsd, usd } from './money.js';
import { Observation, type RoundWindow } from './observation.js';
import { inferArgument, readInferAnswer } from './request.js';

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

/** Outputs of an answer; a result too large for a reply is fetched. Throws where the request failed. */
async function outputsOf(deployed: Deployed, answer: Answer): Promise<BundleTensor[]> {
  const outcome = readInferAnswer(answer);
  if (outcome.kind === 'error') {
    throw new Error(`a request failed: [${outcome.code}] ${outcome.message}`);
  }
  if (outcome.kind === 'outputs') return decodeBundle(outcome.bundle);
  const client = new CoordinatorClient(deployed.transport, deployed.coordinator);
  const parts: Uint8Array[] = [];
  for (let offset = 0, total = 1; offset < total;) {
    const reply = await client.fetch(outcome.ticket, offset, false);
    if (!('part' in reply)) throw new Error('a result that was moved is still pending');
    parts.push(Uint8Array.from(reply.part.bytes));
    offset += reply.part.bytes.length;
    total = reply.part.total;
  }
  const result = decodeResult(Buffer.concat(parts));
  if (result.status !== 'done') throw new Error(`a fetched result says "${result.status}"`);
  const outputs = joinRows(result.tasks.map((task) => decodeBundle(task.bundle)));
  const names = deployed.plan.outputs.map((output) => output.name);
  return outputs.map((tensor, index) => ({ ...tensor, name: names[index]! }));
}

/** Results that wait to be fetched are forgotten, so that they take no memory in later runs. */
async function releaseTickets(deployed: Deployed, log: readonly RequestLog[]): Promise<void> {
  const client = new CoordinatorClient(deployed.transport, deployed.coordinator);
  for (const { answer } of log) {
    const outcome = readInferAnswer(answer);
    if (outcome.kind === 'ticket') await client.release(outcome.ticket);
  }
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
  const observation = new Observation(workers);
  ic.observe(observation);
  const startRound = ic.round;
  const log = await closedLoop(ic, {
    requests,
    concurrency,
    send: (index, lane) => {
      const bundle = encodeBundle(inputsOf(model, batch, index));
      return ic.submit(callerName(lane), coordinator, 'infer', inferArgument(name, bundle));
    },
  });
  observation.close();
  const rounds = ic.round - startRound;
  const cycles = Number(cyclesBefore - (await totalCycles(ic, canisters)));
  const statusAfter = await deployed.status();

  for (const entry of log) if (entry.index > 0) failWhereRefused(entry.answer);
  const first = log.find((entry) => entry.index === 0)!;
  const difference = firstDifference(
    await outputsOf(deployed, first.answer),
    await context.expected(inputsOf(model, batch, 0)),
  );
  if (difference !== undefined) {
    throw new Error(`${model.name}, way ${spec.way}: the answer is wrong: ${difference}`);
  }
  await releaseTickets(deployed, log);

  const inputs = requests * batch;
  const counted = sumStatus(statusAfter, statusBefore);
  const workerInstructions = observation.instructions(workers);
  const modelShare = workerInstructions === 0 ? 0 : counted.program / workerInstructions;
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
      model: counted.program / inputs,
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
        bytesSent: (stageBytes(log, index) ?? 0) / inputs,
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

function failWhereRefused(answer: Answer): void {
  const outcome = readInferAnswer(answer);
  if (outcome.kind === 'error') {
    throw new Error(`a request failed: [${outcome.code}] ${outcome.message}`);
  }
}

async function totalCycles(ic: RoundIc, canisters: readonly string[]): Promise<bigint> {
  const balances = await Promise.all(canisters.map((id) => ic.cyclesBalance(id)));
  return balances.reduce((sum, balance) => sum + balance, 0n);
}

/** What the workers counted of their own operators between two looks at them. */
function sumStatus(after: WorkerStatus[], before: WorkerStatus[]): { program: number } {
  const program = after.reduce(
    (sum, status, index) => sum + Number(status.instructions - before[index]!.instructions),
    0,
  );
  return { program };
}

/** Bytes that a stage sent for all requests of a log; undefined where answers do not say. */
function stageBytes(log: readonly RequestLog[], stage: number): number | undefined {
  let bytes = 0;
  for (const { answer } of log) {
    const outcome = readInferAnswer(answer);
    if (outcome.kind !== 'outputs') return undefined;
    bytes += outcome.stages[stage]?.bytesSent ?? 0;
  }
  return bytes;
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
