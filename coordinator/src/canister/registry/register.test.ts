import { describe, expect, test } from 'vitest';
import { WorkerState, type WorkerConfig, type WorkerStatus } from '@canopy/protocol';
import { readyStatus } from '../../testing/worker-status.js';
import {
  FakeIc,
  bob,
  coordinatorId,
  moreWorkerIds,
  samplePlan,
  workerIds,
} from '../../testing/fake-ic.js';
import { Coordinator } from '../coordinator.js';
import { infer } from '../pipeline/infer.js';
import { restoreModels, restoreTraffic, saveModels, saveTraffic } from '../state.js';
import { registerModel, unregisterModel } from './register.js';

interface FakeStatus {
  status?: Partial<WorkerStatus>;
  config?: Partial<WorkerConfig>;
}

function status(
  stage: number,
  fake: FakeStatus,
  plan = samplePlan(),
  workers = workerIds,
): Uint8Array {
  return readyStatus(plan, stage, coordinatorId, workers, fake.status, fake.config);
}

function setUp(second: FakeStatus = {}): { ic: FakeIc; coordinator: Coordinator } {
  const ic = new FakeIc();
  ic.onCall = (_, __, canister) => {
    const stage = workerIds.findIndex((id) => id.toText() === canister);
    return status(stage, stage === 1 ? second : {});
  };
  return { ic, coordinator: new Coordinator(ic) };
}

const planText = JSON.stringify(samplePlan());

const otherShard: FakeStatus = { status: { shardHash: new Uint8Array(32).fill(0xab) } };

describe('registerModel', () => {
  test('takes a model whose workers are ready', async () => {
    const { coordinator } = setUp();
    await registerModel(coordinator, 'm', planText, workerIds);
    expect(coordinator.models.get('m').workers).toEqual(workerIds);
    await expect(registerModel(coordinator, 'm', planText, workerIds)).rejects.toMatchObject({
      kind: { code: 'model-exists' },
    });
    unregisterModel(coordinator, 'm');
    expect(coordinator.models.has('m')).toBe(false);
  });

  test('takes the workers of several pipelines, and checks each', async () => {
    const ic = new FakeIc();
    const coordinator = new Coordinator(ic);
    const workers = [...workerIds, ...moreWorkerIds];
    const twoPipelines = { ...samplePlan(), pipelines: 2 };
    const answer = (canister: string, fake: FakeStatus): Uint8Array => {
      const index = workers.findIndex((id) => id.toText() === canister);
      return status(index % 2, fake, twoPipelines, index < 2 ? workerIds : moreWorkerIds);
    };
    ic.onCall = (_, __, canister) => answer(canister, {});
    const plan = JSON.stringify(twoPipelines);
    await expect(registerModel(coordinator, 'm', plan, workerIds)).rejects.toThrow(
      '2 stages in 2 pipelines, but 2 workers',
    );
    await registerModel(coordinator, 'm', plan, workers);
    expect(coordinator.models.get('m').pipelines).toEqual([workerIds, moreWorkerIds]);
    unregisterModel(coordinator, 'm');

    ic.onCall = (_, __, canister) =>
      answer(canister, canister === workers[3]!.toText() ? otherShard : {});
    await expect(registerModel(coordinator, 'm', plan, workers)).rejects.toThrow(
      `stage 1 (worker ${workers[3]!.toText()}) holds shard`,
    );
  });

  test.each([
    [{ status: { state: WorkerState.empty } }, 'not-configured', 'stage 1'],
    [{ status: { state: WorkerState.configured } }, 'not-ready', 'it holds 1 of 4 chunks'],
    [{ status: { stageIndex: 0 } }, 'bad-shard', 'is configured as stage 0 of 2, not 1 of 2'],
    [otherShard, 'bad-shard', `holds shard ${'ab'.repeat(32)}`],
    [{ status: { epoch: 6n } }, 'other-epoch', 'different epochs, 5 and 6'],
    [{ config: { resultsStay: true } }, 'not-configured', 'results stay: true instead of false'],
    [{ config: { pipelines: 2 } }, 'not-configured', 'pipelines: 2 instead of 1'],
    [{ config: { rowsPerTask: 0 } }, 'not-configured', 'rows of a task: 0 instead of 2'],
    [{ config: { shardBytes: 1 } }, 'not-configured', 'shard bytes'],
    [{ config: { chunkBytes: 1 } }, 'not-configured', 'chunk bytes'],
    [{ config: { instructionBudget: 1n } }, 'not-configured', 'instruction budget'],
    [{ config: { coordinator: Uint8Array.of(9) } }, 'not-configured', 'the coordinator is not'],
    [
      { config: { workers: [Uint8Array.of(9), workerIds[1]!.toUint8Array()] } },
      'not-configured',
      `the worker of stage 0 is not ${workerIds[0]!.toText()}`,
    ],
  ])('refuses a worker with %o', async (second, code, text) => {
    const { coordinator } = setUp(second);
    const attempt = registerModel(coordinator, 'm', planText, workerIds);
    await expect(attempt).rejects.toMatchObject({ kind: { code } });
    await expect(attempt).rejects.toThrow(text);
    expect(coordinator.models.has('m')).toBe(false);
  });

  test('refuses what is not a plan, and the wrong number of workers', async () => {
    const { coordinator } = setUp();
    await expect(registerModel(coordinator, 'm', '{', workerIds)).rejects.toThrow('not JSON');
    await expect(registerModel(coordinator, 'm', planText, workerIds.slice(1))).rejects.toThrow(
      '2 stages in 1 pipelines, but 1 workers',
    );
    const [head] = workerIds;
    await expect(registerModel(coordinator, 'm', planText, [head!, head!])).rejects.toThrow(
      `worker ${head!.toText()} is named twice`,
    );
  });
});

test('an upgrade keeps models, tickets and requests, and cancels what was waiting', async () => {
  const { ic, coordinator } = setUp();
  await registerModel(coordinator, 'm', planText, workerIds);
  const begin = {
    model: 'm',
    caller: bob,
    receivedAtNs: 1n,
    microBatches: 1,
    bytesReceived: 1,
  };
  const submitted = coordinator.requests.begin(begin);
  const waiting = coordinator.requests.begin(begin);
  coordinator.inFlight.begin();
  coordinator.tickets.add({
    id: submitted.ticket,
    model: 'm',
    caller: bob,
    placed: {
      head: workerIds[0]!,
      keeper: { worker: workerIds[1]!, stage: 1 },
      requestId: 3n,
      epoch: 5n,
    },
  });

  const upgraded = new Coordinator(ic);
  restoreModels(upgraded, saveModels(coordinator));
  restoreTraffic(upgraded, saveTraffic(coordinator));

  expect(upgraded.models.get('m').plan).toEqual(samplePlan());
  expect(upgraded.models.get('m').epoch).toBe(5n);
  expect(upgraded.tickets.find(submitted.ticket)).toMatchObject({
    placed: { requestId: 3n, epoch: 5n, keeper: { worker: workerIds[1], stage: 1 } },
  });
  expect(upgraded.requests.find(submitted.ticket)?.error).toBeUndefined();
  expect(upgraded.requests.find(waiting.ticket)?.error).toMatchObject({ code: 'cancelled' });
  expect(upgraded.inFlight.count).toBe(0);
  expect(upgraded.requests.begin(begin).ticket).toBe(3n);
});

test.each([
  ['of another version', JSON.stringify({ ...samplePlan(), version: 99 })],
  ['that is no JSON', 'canopy'],
])('a kept plan %s fails no upgrade: its model is listed, refuses, and can go', async (_, plan) => {
  const { ic, coordinator } = setUp();
  await registerModel(coordinator, 'm', planText, workerIds);
  const old = { name: 'old', plan, workers: workerIds, epoch: 3n };

  const upgraded = new Coordinator(ic);
  restoreModels(upgraded, [old, ...saveModels(coordinator)]);

  expect(upgraded.models.all().map(({ name }) => name)).toEqual(['old', 'm']);
  expect(upgraded.models.get('m').plan).toEqual(samplePlan());
  await expect(infer(upgraded, 'old', new Uint8Array())).rejects.toMatchObject({
    kind: { code: 'unsupported', retryable: false },
    message: expect.stringContaining('model "old" was registered by an earlier version') as string,
  });
  await expect(registerModel(upgraded, 'old', planText, workerIds)).rejects.toMatchObject({
    kind: { code: 'model-exists' },
  });
  // The next upgrade keeps it as it was.
  expect(saveModels(upgraded)[0]).toEqual(old);
  unregisterModel(upgraded, 'old');
  await registerModel(upgraded, 'old', planText, workerIds);
});

interface AnyPlan {
  inputs: unknown[];
  rowsIndependent?: unknown;
  instructionBudget?: unknown;
  chunkBytes?: unknown;
  stages: Record<string, unknown>[];
}
const stageWith = (stage: number, fields: object) => (plan: AnyPlan) =>
  void Object.assign(plan.stages[stage]!, fields);
const planWith = (fields: object) => (plan: AnyPlan) => void Object.assign(plan, fields);

test.each([
  ['stages[0].inputs', stageWith(0, { inputs: undefined }), 'stage 0: "inputs"'],
  ['stages[1].outputs', stageWith(1, { outputs: [7] }), 'stage 1: "outputs"'],
  ['stages[0].shardBytes', stageWith(0, { shardBytes: -1 }), '"shardBytes"'],
  ['stages[0]', planWith({ stages: [null] }), 'stage 0 has index'],
  ['rowsIndependent', planWith({ rowsIndependent: undefined }), '"rowsIndependent"'],
  ['instructionBudget', planWith({ instructionBudget: 'x' }), '"instructionBudget"'],
  ['chunkBytes', planWith({ chunkBytes: 0.5 }), '"chunkBytes"'],
  ['inputs[0]', planWith({ inputs: [null] }), '"inputs" has an entry'],
] as const)('a plan with a wrong %s is refused as bad input', async (_, spoil, text) => {
  const { coordinator } = setUp();
  const plan = samplePlan();
  spoil(plan as unknown as AnyPlan);
  const attempt = registerModel(coordinator, 'm', JSON.stringify(plan), workerIds);
  await expect(attempt).rejects.toMatchObject({
    name: 'CoordinatorError',
    kind: { code: 'bad-input' },
    message: expect.stringContaining(text) as string,
  });
});

test('a plan that is null is refused as bad input', async () => {
  const { coordinator } = setUp();
  const attempt = registerModel(coordinator, 'm', 'null', workerIds);
  await expect(attempt).rejects.toMatchObject({ kind: { code: 'bad-input' } });
});
