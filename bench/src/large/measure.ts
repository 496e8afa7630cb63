import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { deploy, type ReadyDeployment } from '@canopy/client';
import { coordinatorWasmGz } from '@canopy/coordinator';
import { Fees, profileOf, type ProfileName } from '@canopy/local-ic/prices';
import { planModel, type PlannedModel } from '@canopy/partitioner';
import { encodeBundle, type BundleTensor } from '@canopy/protocol';
import { workerWasmGz } from '@canopy/worker';
import { callerName, EmbeddedIc } from '../ic/embedded.js';
import { owner } from '../measure/deployment.js';
import { Observation } from '../measure/observation.js';
import { outputsOf, sendInference } from '../measure/request.js';
import { decoderShape } from '../models/decoder-shapes.js';
import { decoderParameters, writeDecoder } from '../models/decoder.js';
import { int64Tensor } from '../models/inputs.js';
import { Random } from '../models/random.js';
import { openReference } from '../reference.js';
import { differenceOf, requireSmall } from './difference.js';
import type { LargeJob, LargeResult } from './result.js';
import { sharedRounds } from './shared-rounds.js';

/** Chunks that a block takes beside other messages, and their bytes. */
const chunksARound = 2;
const bytesARound = 3.4 * 1024 ** 2;
const endowment = 1_000_000_000_000_000n;
const month = 30 * 24 * 3600;
const profile = '2026-07';
const monthProfiles: readonly ProfileName[] = ['2026-07', '2026-11'];
/** Tokens that generated models have positions for. */
export const longestPrompt = 512;
/** Rounds after which a prompt is given up. */
const patience = 20_000;

/** Tells what is being done. */
export type Tell = (text: string) => void;

/** The model's path in `folder`; written where it is not there yet. */
function modelIn(folder: string, { shape }: LargeJob): string {
  const path = join(folder, shape, 'model.onnx');
  if (existsSync(path)) return path;
  return writeDecoder(dirname(path), { ...decoderShape(shape), positions: longestPrompt, seed: 1 });
}

/** Plans a large model, deploys it on an embedded IC, asks it once, and compares the answer. */
export async function measureLarge(
  job: LargeJob,
  folder: string,
  canopyVersion: string,
  tell: Tell,
): Promise<LargeResult> {
  const { shape, weights, workers, tokens } = job;
  tell('writing the model');
  const path = modelIn(folder, job);
  tell('planning');
  const before = process.cpuUsage();
  const dims = { seq: tokens };
  const planned = await planModel(path, { name: shape, weights, workers, dims });
  const { user, system } = process.cpuUsage(before);
  const planning = {
    cpuSeconds: (user + system) / 1e6,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
  try {
    const deployed = await putOnIc(planned, tell);
    const { ic, deployment } = deployed;
    const canisters = [deployment.coordinator, ...deployment.workers];
    const deployCycles = await cyclesTaken(ic, canisters);
    tell(`asking for ${tokens} tokens`);
    const ids = new Random(7).integers(tokens, decoderShape(shape).vocabulary);
    const inputs = [int64Tensor('ids', [1, tokens], ids)];
    const asked = await ask(ic, deployment, inputs);
    tell('running onnxruntime');
    const reference = await openReference(path);
    const [expected] = await reference.run(inputs);
    await reference.close();
    const difference = differenceOf(asked.outputs[0]!, expected!);
    requireSmall(difference, weights);
    const memory = await Promise.all(canisters.map((id) => ic.memory(id)));
    const stored = memory.reduce((sum, one) => sum + one.heapBytes + one.stableBytes, 0);
    const { stages } = planned.plan;
    return {
      ...job,
      canopyVersion,
      parameters: decoderParameters(decoderShape(shape)),
      fileBytes: statSync(join(dirname(path), 'weights.bin')).size,
      shardBytes: stages.reduce((sum, { shardBytes }) => sum + shardBytes, 0),
      multiplyAdds: stages.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0),
      planning,
      upload: deployed.upload,
      instructions: asked.instructions,
      rounds: asked.rounds,
      heapBytes: memory.slice(1).map(({ heapBytes }) => heapBytes),
      deployCycles,
      monthCycles: Object.fromEntries(
        monthProfiles.map((name) => [name, monthOf(name, stored, canisters.length)]),
      ),
      difference,
    };
  } finally {
    planned.close();
  }
}

async function putOnIc(
  planned: PlannedModel,
  tell: Tell,
): Promise<{ ic: EmbeddedIc; deployment: ReadyDeployment; upload: LargeResult['upload'] }> {
  const ic = new EmbeddedIc(profile);
  const rounds = { first: 0, last: 0 };
  let told = 0;
  const deployment = await deploy(planned, {
    transport: sharedRounds(ic, owner),
    modules: { coordinator: coordinatorWasmGz(), worker: workerWasmGz() },
    uploadConcurrency: chunksARound,
    cycles: endowment,
    onProgress: ({ step, done, total }) => {
      if (step !== 'upload') return;
      if (done === 0) rounds.first = ic.round;
      rounds.last = ic.round;
      if (Math.floor((done / total) * 10) <= told) return;
      told = Math.floor((done / total) * 10);
      tell(`uploaded ${told * 10} %`);
    },
  });
  const { stages } = planned.plan;
  const bytes = stages.reduce((sum, { shardBytes }) => sum + shardBytes, 0);
  const upload = {
    chunks: stages.reduce((sum, { index }) => sum + planned.chunkCount(index), 0),
    rounds: rounds.last - rounds.first,
    roundsOfBandwidth: bytes / bytesARound,
  };
  return { ic, deployment, upload };
}

/** Cycles that canisters spent of their first, and what creating them costs. */
async function cyclesTaken(ic: EmbeddedIc, canisters: readonly string[]): Promise<number> {
  const { canisterCreation } = new Fees('application', profileOf(profile));
  let taken = 0n;
  for (const id of canisters) taken += endowment - (await ic.cyclesBalance(id)) + canisterCreation;
  return Number(taken);
}

function monthOf(name: ProfileName, bytes: number, canisters: number): number {
  const { gibSecond, canisterSecond } = profileOf(name).prices;
  return ((bytes / 1024 ** 3) * gibSecond + canisters * canisterSecond) * month;
}

/** Sends one request and gives its outputs and what it took. */
async function ask(
  ic: EmbeddedIc,
  { coordinator, workers, model, plan }: ReadyDeployment,
  inputs: readonly BundleTensor[],
): Promise<{ outputs: BundleTensor[] } & Pick<LargeResult, 'instructions' | 'rounds'>> {
  await ic.rest();
  const observation = new Observation(workers);
  ic.observe(observation);
  const first = ic.round;
  const bundle = encodeBundle(inputs);
  const call = await sendInference(ic, { caller: callerName(0), coordinator, model, bundle });
  for (let round = 0; round < patience; round++) {
    await ic.tick();
    const answer = await call.poll();
    if (!answer) continue;
    if (answer.kind === 'error') throw new Error(`${answer.code}: ${answer.message}`);
    const rounds = ic.round - first;
    await ic.settle();
    observation.close();
    return {
      outputs: outputsOf(plan, answer),
      rounds,
      instructions: {
        workers: observation.instructions(workers),
        pages: observation.pageInstructions(workers),
        coordinator: observation.instructions([coordinator]),
      },
    };
  }
  throw new Error(`no answer in ${patience} rounds`);
}
