/** A deployment that is killed at any step goes on: no canister twice, no cycles lost, no chunk sent again. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CYCLES_ENDOWMENT } from '@canopy/local-ic';
import {
  deploy,
  parseDeployment,
  type DeployableModel,
  type Deployment,
  type DeployOptions,
  type Transport,
} from '@canopy/client';
import { coordinatorWasmGz } from '@canopy/coordinator';
import { planModel, type PlannedModel } from '@canopy/partitioner';
import { workerWasmGz } from '@canopy/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LedgerIc } from './testing/ledger-ic.js';

const model = fileURLToPath(
  new URL('../../pocketic-tests/models/digits-cnn/model.onnx', import.meta.url),
);
const trillion = 1_000_000_000_000n;
const fee = 100_000_000n;
const amounts = { coordinator: 6n * trillion, stages: [4n * trillion, 5n * trillion] };
const allAmounts = 15n * trillion;
let planned: PlannedModel;

beforeAll(async () => {
  planned = await planModel(model, { workers: 2, chunkBytes: 4096 });
});
afterAll(() => {
  planned.close();
});

/** A process that is killed at its n-th step, before or after what the step does. */
class Process {
  steps = 0;
  constructor(
    private readonly deadAt = Infinity,
    private readonly after = false,
  ) {}

  async step<T>(action: () => Promise<T>): Promise<T> {
    const step = ++this.steps;
    if (step > this.deadAt || (step === this.deadAt && !this.after)) throw new Error('killed');
    const result = await action();
    if (this.steps >= this.deadAt) throw new Error('killed');
    return result;
  }

  /** A transport whose calls are steps. */
  over(transport: Transport): Transport {
    return {
      ...transport,
      query: (...args) => this.step(() => transport.query(...args)),
      update: (...args) => this.step(() => transport.update(...args)),
      manage: (...args) => this.step(() => transport.manage!(...args)),
      installCode: (options) => this.step(() => transport.installCode(options)),
      wait: (time) => this.step(() => transport.wait(time)),
    };
  }
}

/** Deploys in a process of its own that knows only the manifest on the disk. */
async function deployIn(
  process: Process,
  ic: Pick<LedgerIc, 'transport'>,
  disk: { manifest?: string },
  model: DeployableModel = planned,
): Promise<Deployment> {
  const options: DeployOptions = {
    transport: process.over(ic.transport),
    modules: { coordinator: coordinatorWasmGz(), worker: workerWasmGz() },
    cycles: amounts,
    cyclesLedger: true,
    uploadConcurrency: 1,
    ...(disk.manifest !== undefined && { resume: parseDeployment(disk.manifest) }),
    onManifest: (state) =>
      process.step(async () => {
        disk.manifest = JSON.stringify(state);
        return Promise.resolve();
      }),
  };
  return deploy(model, options);
}

test('goes on where it was, after 30 deaths at random steps', async () => {
  const steps = new Process();
  const once = new LedgerIc();
  await deployIn(steps, once, {});
  expect(once.canisters).toHaveLength(3);
  const chunks = planned.plan.stages.reduce((sum, { index }) => sum + planned.chunkCount(index), 0);
  let seed = 19;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * below);
  };
  for (let point = 0; point < 30; point++) {
    const ic = new LedgerIc();
    const disk: { manifest?: string } = {};
    const [deadAt, after] = [1 + random(steps.steps), random(2) === 1];
    await expect(deployIn(new Process(deadAt, after), ic, disk), `step ${deadAt}`).rejects.toThrow(
      'killed',
    );
    const deployment = await deployIn(new Process(), ic, disk);
    expect(deployment.ready).toBe(true);
    const known = [deployment.coordinator, ...deployment.workers];
    expect(ic.canisters.sort(), `step ${deadAt}, ${after}`).toEqual(known.sort());
    expect(await ic.ledgerBalance()).toBe(CYCLES_ENDOWMENT - allAmounts - 3n * fee);
    expect(ic.calls.filter((method) => method === 'put_chunk')).toHaveLength(chunks);
  }
});

test('a deployment of a model that was planned before packs what is sent, and hashes nothing', async () => {
  const hashFolder = mkdtempSync(join(tmpdir(), 'canopy-hashes-'));
  const options = { workers: 2, chunkBytes: 4096, hashFolder };
  try {
    (await planModel(model, options)).close();
    let chunks = 0;
    for (const killedAt of ['put_chunk', 'load', 'never']) {
      const [ic, disk]: [LedgerIc, { manifest?: string }] = [new LedgerIc(), {}];
      const again = await planModel(model, options);
      expect(again.packedBytes).toBe(0);
      let packed = 0;
      const counted: DeployableModel = {
        ...again,
        readShardChunk: (stage, index) => {
          packed++;
          return again.readShardChunk(stage, index);
        },
      };
      const { transport } = ic;
      const update: Transport['update'] = (canister, method, arg) => {
        if (method === killedAt) throw new Error('killed');
        return transport.update(canister, method, arg);
      };
      const first = deployIn(new Process(), { transport: { ...transport, update } }, disk, counted);
      if (killedAt === 'never') await first;
      else await expect(first).rejects.toThrow('killed');
      const sentBefore = ic.calls.filter((method) => method === 'put_chunk').length;
      packed = 0;
      await deployIn(new Process(), ic, disk, counted);
      const sent = ic.calls.filter((method) => method === 'put_chunk').length;
      chunks = Math.max(chunks, sent);
      expect(packed, killedAt).toBe(sent - sentBefore);
      expect(packed > 0, killedAt).toBe(killedAt === 'put_chunk');
      again.close();
    }
    expect(chunks).toBeGreaterThan(2);
  } finally {
    rmSync(hashFolder, { recursive: true });
  }
});
