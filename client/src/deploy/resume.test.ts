import { describe, expect, test } from 'vitest';
import { decodeWorkerConfig, encodeWorkerConfig } from '@canopy/protocol';
import { FakeNetwork, sampleModel } from '../testing/fake-network.js';
import { CallRejected } from '../errors.js';
import { deploy, type DeployOptions } from './deploy.js';
import type { Deployment, ReadyDeployment } from './manifest.js';

const modules = {
  coordinator: new TextEncoder().encode('coordinator'),
  worker: new TextEncoder().encode('worker'),
};

function options(network: FakeNetwork, more: Partial<DeployOptions> = {}): DeployOptions {
  return { transport: network, modules, retry: { attempts: 2, firstDelayMs: 1 }, ...more };
}

/** The sample model with other weights. */
async function otherModel(): ReturnType<typeof sampleModel> {
  const model = await sampleModel();
  model.plan.stages.forEach((stage, index) =>
    Object.assign(stage, { shardHash: String(index).repeat(64) }),
  );
  model.plan.model.sha256 = 'b'.repeat(64);
  return model;
}

/** A network with a finished deployment named A. */
async function deployedNetwork(): Promise<{ network: FakeNetwork; first: ReadyDeployment }> {
  const network = new FakeNetwork();
  const first = await deploy(await sampleModel(), options(network, { name: 'A' }));
  network.calls.length = 0;
  return { network, first };
}

const changes = /^(create|configure|put_chunk|load|register_model|install)/;

describe('an earlier deployment is looked at before it is believed', () => {
  test('of an IC that was started anew: deployed anew', async () => {
    const { network, first } = await deployedNetwork();
    network.restart();
    const reasons: string[] = [];
    const onAnew = (reason: string): number => reasons.push(reason);
    const resume = structuredClone(first);
    const second = await deploy(
      await sampleModel(),
      options(network, { name: 'A', resume, onAnew }),
    );
    expect(reasons).toEqual([expect.stringContaining(`(${first.coordinator}) is not there`)]);
    expect(second.ready).toBe(true);
    expect(network.models).toMatchObject([{ name: 'A' }]);
  });

  test('whose ids another deployment has: deployed anew, and nothing of the other is touched', async () => {
    const { network, first } = await deployedNetwork();
    network.restart();
    const other = await deploy(await otherModel(), options(network, { name: 'B' }));
    expect(other.workers).toEqual(first.workers);
    const before = structuredClone(network.workers);
    const reasons: string[] = [];
    const second = await deploy(
      await sampleModel(),
      options(network, { name: 'A', resume: first, onAnew: (reason) => reasons.push(reason) }),
    );
    expect(reasons[0]).toContain(`coordinator (${first.coordinator}) knows "B"`);
    expect(reasons[0]).toContain('holds another shard');
    expect(second.workers.filter((id) => other.workers.includes(id))).toEqual([]);
    for (const id of other.workers) {
      expect({ ...network.workers.get(id), loadingFor: 0 }).toEqual({
        ...before.get(id),
        loadingFor: 0,
      });
    }
  });

  test('another IC by its key or by its run: deployed anew without a look', async () => {
    const { network, first } = await deployedNetwork();
    for (const noted of [{ rootKey: 'aa' }, { instance: 'earlier' }]) {
      network.rootKey = () => 'bb';
      const resume = { ...structuredClone(first), ...noted };
      const reasons: string[] = [];
      const second = await deploy(
        await sampleModel(),
        options(network, {
          name: `A of ${Object.keys(noted)[0]!}`,
          resume,
          instance: 'now',
          onAnew: (reason) => reasons.push(reason),
        }),
      );
      expect(reasons).toEqual([
        'the manifest is of an Internet Computer that is not there any more',
      ]);
      expect(second).toMatchObject({ rootKey: 'bb', instance: 'now' });
      expect(second.workers.filter((id) => first.workers.includes(id))).toEqual([]);
    }
  });

  test('with a canister missing: refused, and nothing is done', async () => {
    const { network, first } = await deployedNetwork();
    network.workers.delete(first.workers[1]!);
    const attempt = deploy(await sampleModel(), options(network, { resume: first }));
    await expect(attempt).rejects.toMatchObject({ code: 'bad-deployment' });
    await expect(attempt).rejects.toThrow(`stage 1 (${first.workers[1]!}) is not there`);
    expect(network.calls.filter((call) => changes.test(call))).toEqual([]);
  });

  test('that others manage: refused, as it may be the caller who is not the same', async () => {
    const { network, first } = await deployedNetwork();
    for (const id of [first.coordinator, ...first.workers]) network.foreign.add(id);
    const attempt = deploy(await sampleModel(), options(network, { resume: first }));
    await expect(attempt).rejects.toMatchObject({ code: 'bad-deployment' });
    await expect(attempt).rejects.toThrow('is managed by others');
    expect(network.calls.filter((call) => changes.test(call))).toEqual([]);
  });

  test.each<[string, (network: FakeNetwork, worker: string) => unknown]>([
    ['is managed by others', (network, worker) => network.foreign.add(worker)],
    ['holds another module', (network, worker) => network.installed.set(worker, 'a game')],
    ['is empty', (network, worker) => network.installed.delete(worker)],
    [
      'holds another shard',
      (network, worker) => (network.workers.get(worker)!.shardHash = new Uint8Array(32).fill(9)),
    ],
    ['holds another shard', (network, worker) => (network.workers.get(worker)!.stageCount = 7)],
    [
      'works for another deployment',
      (network, worker) => {
        const told = network.workers.get(worker)!;
        const config = decodeWorkerConfig(told.configuration);
        told.configuration = encodeWorkerConfig({ ...config, coordinator: new Uint8Array([9]) });
      },
    ],
  ])('a worker that %s is named', async (text, change) => {
    const { network, first } = await deployedNetwork();
    change(network, first.workers[0]!);
    await expect(deploy(await sampleModel(), options(network, { resume: first }))).rejects.toThrow(
      `stage 0 (${first.workers[0]!}) ${text}`,
    );
    expect(network.calls.filter((call) => changes.test(call))).toEqual([]);
  });

  test('a model that is not registered any more is registered again', async () => {
    const { network, first } = await deployedNetwork();
    network.models.length = 0;
    await deploy(await sampleModel(), options(network, { resume: first }));
    expect(network.models).toMatchObject([{ name: 'A' }]);
    expect(network.calls).not.toContain('put_chunk');
  });

  test('an installation that was not noted is noted', async () => {
    const { network, first } = await deployedNetwork();
    const [worker] = first.workers;
    const resume: Deployment = structuredClone({ ...first, ready: false });
    network.models.length = 0;
    Object.assign(network.workers.get(worker!)!, { state: 0, chunks: new Map(), loadingFor: 1 });
    resume.modules = { ...resume.modules };
    Reflect.deleteProperty(resume.modules, worker!);
    const second = await deploy(await sampleModel(), options(network, { resume }));
    expect(second).toMatchObject({ ready: true, modules: first.modules });
  });

  test('a canister that works, but was not noted as installed, is another deployment', async () => {
    const { network, first } = await deployedNetwork();
    const [worker] = first.workers;
    const resume: Deployment = structuredClone({ ...first, ready: false });
    Reflect.deleteProperty(resume.modules, worker!);
    await expect(deploy(await sampleModel(), options(network, { resume }))).rejects.toThrow(
      `stage 0 (${worker!}) works for another deployment`,
    );
    expect(network.workers.get(worker!)!.chunks.size).toBeGreaterThan(0);
  });

  test('one that another release began is refused', async () => {
    const { network, first } = await deployedNetwork();
    network.models.length = 0;
    const newer = { ...modules, worker: new TextEncoder().encode('worker 2') };
    const attempt = deploy(
      await sampleModel(),
      options(network, { resume: first, modules: newer }),
    );
    await expect(attempt).rejects.toThrow('begun with another release');
  });

  test('of another model file or cut: refused', async () => {
    const { network, first } = await deployedNetwork();
    await expect(deploy(await otherModel(), options(network, { resume: first }))).rejects.toThrow(
      'another model file',
    );
    const model = await sampleModel();
    model.plan = { ...model.plan, pipelines: 2 };
    await expect(deploy(model, options(network, { resume: first }))).rejects.toThrow(
      'another cut of the model (2 stages; asked for: 2 pipelines of 2 stages)',
    );
  });
});

test('a caller ends a deployment; it goes on later', async () => {
  const network = new FakeNetwork();
  const model = await sampleModel();
  const controller = new AbortController();
  let saved: Deployment | undefined;
  network.failure = (method) => {
    if (method === 'put_chunk') controller.abort();
    return undefined;
  };
  const attempt = deploy(
    model,
    options(network, {
      signal: controller.signal,
      uploadConcurrency: 1,
      onManifest: (state) => {
        saved = structuredClone(state);
      },
    }),
  );
  await expect(attempt).rejects.toMatchObject({ code: 'aborted', retryable: false });
  expect(network.calls.filter((call) => call === 'put_chunk')).toHaveLength(1);

  network.failure = () => undefined;
  const deployment = await deploy(model, options(network, { resume: saved! }));
  expect(deployment.ready).toBe(true);
  expect(network.calls.filter((call) => call === 'put_chunk')).toHaveLength(4);
});

test('an IC that does not answer a look is no reason to deploy anew', async () => {
  const { network, first } = await deployedNetwork();
  network.failure = (method) =>
    method === 'canister_status' ? new CallRejected(2, 'try later') : undefined;
  await expect(
    deploy(await sampleModel(), options(network, { resume: first })),
  ).rejects.toMatchObject({ code: 'rejected' });
  expect(network.calls.filter((call) => changes.test(call))).toEqual([]);
});
