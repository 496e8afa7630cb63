import { encodeBundle, type BundleTensor } from '@canopy/protocol';
import { callerName, EmbeddedIc } from '../ic/embedded.js';
import { closedLoop, requestRounds } from '../load/closed-loop.js';
import { percentile } from '../load/percentile.js';
import { benchModel, type BenchModel } from '../models/catalogue.js';
import { firstDifference } from '../reference.js';
import type { LoadResult } from '../results/schema.js';
import { waySettings } from '../ways.js';
import { deployModel, type Deployed } from './deployment.js';
import { Observation } from './observation.js';
import { outputsOf, sendInference, type InferAnswer } from './request.js';

type Reference = (inputs: readonly BundleTensor[]) => Promise<BundleTensor[]>;

/** Callers of the run about fairness, and requests they are answered. */
const callers = 32;
const requests = 1000;
/** Heap is looked at after so many requests, and after all. */
const settled = 100;
/** Requests of the caller that floods, and of the one beside it. */
const flood = 500;
const beside = 12;

/** Canisters with the queue limits that `canopy deploy` sets. */
async function deployDefault(model: BenchModel, workers: number): Promise<Deployed> {
  const options = { workers, dims: { ...model.dims } };
  return deployModel(new EmbeddedIc('2026-07'), model.path(), model.name, options, {
    queueLimit: 512,
    queueLimitPerCaller: 64,
  });
}

function send(
  deployed: Deployed,
  model: string,
  caller: string,
  input: readonly BundleTensor[],
): ReturnType<typeof sendInference> {
  const { ic, coordinator } = deployed;
  return sendInference(ic, { caller, coordinator, model, bundle: encodeBundle(input) });
}

/** 32 callers, each with one request in flight, until 1,000 are answered. */
async function measureCallers(reference: Reference): Promise<LoadResult['callers']> {
  const model = benchModel('digits-cnn');
  const deployed = await deployDefault(model, 4);
  const { ic, coordinator, workers } = deployed;
  const canisters = [coordinator, ...workers];
  const name = await deployed.use(waySettings('d', deployed.plan));
  const heaps = async (): Promise<number[]> =>
    Promise.all(canisters.map(async (id) => (await ic.memory(id)).heapBytes));
  const served = new Array<number>(callers).fill(0);
  let answered = 0;
  let early: Promise<number[]> | undefined;
  const log = await closedLoop(ic, {
    requests,
    concurrency: callers,
    send: (index, lane) => send(deployed, name, callerName(lane), model.input(index)),
    onAnswer: ({ lane }) => {
      served[lane]!++;
      if (++answered === settled) early = heaps();
    },
  });
  const late = await heaps();
  const differs = async (answer: InferAnswer, index: number): Promise<boolean> =>
    firstDifference(outputsOf(deployed.plan, answer), await reference(model.input(index))) !==
    undefined;
  let swapped = 0;
  let failed = 0;
  for (const { index, answer } of log) {
    if (answer.kind === 'error') failed++;
    else if (await differs(answer, index)) swapped++;
  }
  const before = await early!;
  return {
    callers,
    requests,
    failed,
    swapped,
    mostToLeastServed: Math.max(...served) / Math.min(...served),
    heapGrowthBytes: late.map((bytes, index) => bytes - before[index]!),
  };
}

/** What became of a caller that sends one at a time, beside another one. */
interface Beside {
  /** Median rounds, as long as the other caller had requests in flight. */
  rounds: number;
  refused: number;
  lost: number;
}

/** Lane 0 sends one request at a time; `others` requests of another caller come at once. */
async function roundsBeside(
  deployed: Deployed,
  model: BenchModel,
  name: string,
  others: 'one at a time' | number,
): Promise<Beside> {
  const isFlood = others !== 'one at a time';
  const total = isFlood ? others + beside : 2 * beside;
  const log = await closedLoop(deployed.ic, {
    requests: total,
    concurrency: isFlood ? others + 1 : 2,
    send: (index, lane) => send(deployed, name, callerName(lane === 0 ? 0 : 1), model.input(index)),
    isLast: (lane) => isFlood && lane > 0,
  });
  let refused = 0;
  for (const { answer } of log) {
    if (answer.kind !== 'error') continue;
    if (answer.code !== 'busy') throw new Error(`[${answer.code}] ${answer.message}`);
    refused++;
  }
  const company = Math.max(
    ...log.filter(({ lane }) => lane > 0).map(({ answeredRound }) => answeredRound),
  );
  const own = log.filter(({ lane, sentRound }) => lane === 0 && sentRound <= company);
  return {
    rounds: percentile(own.map(requestRounds), 0.5),
    refused,
    lost: total - log.length,
  };
}

async function measureFlood(): Promise<LoadResult['flood']> {
  const model = benchModel('ppocr-recognition');
  const deployed = await deployDefault(model, 4);
  const name = await deployed.use(waySettings('d', deployed.plan));
  const alone = await roundsBeside(deployed, model, name, 'one at a time');
  const together = await roundsBeside(deployed, model, name, flood);
  return {
    sent: flood,
    refused: together.refused,
    lost: together.lost,
    aloneRounds: alone.rounds,
    besideRounds: together.rounds,
  };
}

/** Instructions of the coordinator for a request of one micro-batch and for each further one. */
async function measureCoordinator(): Promise<LoadResult['coordinator']> {
  const model = benchModel('digits-cnn');
  const deployed = await deployDefault(model, 4);
  const { ic, coordinator, plan } = deployed;
  const name = await deployed.use({ ...waySettings('d', plan), microBatchRows: 1 });
  const instructions = async (rows: number): Promise<number> => {
    const inputs = Array.from({ length: rows }, (_, row) => model.input(row)[0]!);
    const data = Buffer.concat(inputs.map((input) => input.data));
    const input = { ...inputs[0]!, dims: [rows, ...inputs[0]!.dims.slice(1)], data };
    const observation = new Observation([coordinator]);
    ic.observe(observation);
    await closedLoop(ic, {
      requests: 1,
      concurrency: 1,
      send: () => send(deployed, name, callerName(0), [input]),
    });
    observation.close();
    return observation.instructions([coordinator]);
  };
  await instructions(1);
  const one = await instructions(1);
  const many = 33;
  return { first: one, further: ((await instructions(many)) - one) / (many - 1) };
}

/** The runs about fairness, steadiness and the coordinator. */
export async function measureLoad(reference: Reference): Promise<LoadResult> {
  return {
    callers: await measureCallers(reference),
    flood: await measureFlood(),
    coordinator: await measureCoordinator(),
  };
}
