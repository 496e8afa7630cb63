import { Principal } from '@dfinity/principal';
import { decodeWorkerConfig } from '@canopy/protocol';
import { describe, expect, test } from 'vitest';
import { FakeNetwork, sampleModel } from '../testing/fake-network.js';
import { CallRejected } from '../errors.js';
import { deploy, type DeployOptions } from './deploy.js';
import { parseDeployment, requireReady, type Deployment } from './manifest.js';
import type { DeployProgress } from './progress.js';

const modules = {
  coordinator: new TextEncoder().encode('coordinator'),
  worker: new TextEncoder().encode('worker'),
};
const quick = { attempts: 3, firstDelayMs: 1 };

function options(network: FakeNetwork, more: Partial<DeployOptions> = {}): DeployOptions {
  return { transport: network, modules, retry: quick, ...more };
}

describe('deploy', () => {
  test('creates, installs, uploads, loads and registers', async () => {
    const network = new FakeNetwork();
    const model = await sampleModel();
    const progress: DeployProgress[] = [];
    const deployment = await deploy(
      model,
      options(network, { name: 'mine', onProgress: (one) => progress.push(one) }),
    );
    expect(deployment).toMatchObject({ model: 'mine', ready: true });
    expect(deployment.workers).toHaveLength(2);
    expect(network.installed.get(deployment.coordinator)).toBe('coordinator');
    deployment.workers.forEach((id, stage) => {
      const { chunks } = network.workers.get(id)!;
      const parts = [...chunks.keys()].sort().flatMap((index) => [...chunks.get(index)!]);
      expect(Uint8Array.from(parts)).toEqual(model.shards[stage]);
    });
    expect(network.models).toMatchObject([{ name: 'mine', plan: JSON.stringify(model.plan) }]);
    expect(progress.map((one) => one.step)).toEqual(
      expect.arrayContaining(['create', 'install', 'upload', 'load', 'register']),
    );
    const uploads = progress.filter((one) => one.step === 'upload');
    expect(uploads.at(-1)).toMatchObject({ done: 3400, total: 3400 });
  });

  test('makes each pipeline of workers of its own', async () => {
    const network = new FakeNetwork();
    const model = await sampleModel();
    model.plan = { ...model.plan, pipelines: 2 };
    const progress: DeployProgress[] = [];
    const deployment = await deploy(
      model,
      options(network, { onProgress: (one) => progress.push(one) }),
    );
    expect(new Set(deployment.workers).size).toBe(4);
    const epochs = new Set<bigint>();
    deployment.workers.forEach((id, index) => {
      const { stageIndex, stageCount, configuration } = network.workers.get(id)!;
      expect([stageIndex, stageCount]).toEqual([index % 2, 2]);
      const pipeline = index < 2 ? deployment.workers.slice(0, 2) : deployment.workers.slice(2);
      const config = decodeWorkerConfig(configuration);
      expect(config.workers).toEqual(
        pipeline.map((text) => Principal.fromText(text).toUint8Array()),
      );
      expect(config.pipelines).toBe(2);
      epochs.add(config.epoch);
    });
    const uploads = progress.filter((one) => one.step === 'upload');
    expect(uploads.at(-1)).toMatchObject({ done: 6800, total: 6800 });
    const places = progress.filter((one) => one.step === 'load').map(({ detail }) => detail);
    expect(places.sort()[3]).toBe(`pipeline 1, stage 1: worker ${deployment.workers[3]!}`);
    expect(network.models[0]!.workers.map(String)).toEqual(deployment.workers);

    const resume = { ...deployment, plan: { ...deployment.plan, pipelines: 1 } };
    await expect(deploy(model, options(network, { resume }))).rejects.toMatchObject({
      code: 'bad-deployment',
    });
  });

  test("as anonymous is refused on a network that is not one's own", async () => {
    const network = new FakeNetwork();
    network.isOwn = false;
    const attempt = deploy(await sampleModel(), options(network));
    await expect(attempt).rejects.toMatchObject({ code: 'anonymous', retryable: false });
    await expect(attempt).rejects.toThrow('--identity key.pem');
    expect(network.calls).toEqual([]);
    Object.assign(network, { isLocal: undefined });
    await expect(deploy(await sampleModel(), options(network))).rejects.toThrow('anonymous');
    network.principal = () => Promise.resolve('aaaaa-aa');
    await deploy(await sampleModel(), options(network, { cyclesLedger: false }));
  });

  test('repeats what is worth it', async () => {
    const network = new FakeNetwork();
    let failures = 2;
    network.failure = (method) =>
      method === 'put_chunk' && failures-- > 0 ? new CallRejected(2, 'try later') : undefined;
    await deploy(await sampleModel(), options(network));
    expect(network.calls.filter((call) => call === 'put_chunk')).toHaveLength(4 + 2);
  });

  test('sends again with proof what did not arrive although the answer said so', async () => {
    const network = new FakeNetwork();
    const unproven: string[] = [];
    Object.assign(network, {
      updateUnproven: async (canister: string, method: string, arg: Uint8Array) => {
        unproven.push(method);
        // Every second answer is a lie.
        if (unproven.length % 2 === 1) await network.update(canister, method, arg);
      },
    });
    const deployment = await deploy(await sampleModel(), options(network));
    expect(deployment.ready).toBe(true);
    expect(unproven).toEqual(Array(4).fill('put_chunk'));
    expect(network.calls.filter((call) => call === 'put_chunk')).toHaveLength(4);
  });

  test('goes on where it was interrupted and sends nothing twice', async () => {
    const network = new FakeNetwork();
    const model = await sampleModel();
    let saved = '';
    const onManifest = (deployment: Deployment): void => {
      saved = JSON.stringify(deployment);
    };
    let chunks = 0;
    network.failure = (method) =>
      method === 'put_chunk' && ++chunks > 2 ? new CallRejected(5, 'broken') : undefined;
    const first = options(network, { onManifest, uploadConcurrency: 1 });
    await expect(deploy(model, first)).rejects.toMatchObject({ code: 'rejected' });
    expect(() => requireReady(parseDeployment(saved))).toThrow('is not finished');

    network.failure = () => undefined;
    network.calls.length = 0;
    const resume = parseDeployment(saved);
    const deployment = await deploy(model, options(network, { resume }));
    expect(deployment.ready).toBe(true);
    expect(network.calls.filter((call) => call === 'put_chunk')).toHaveLength(2);
    expect(network.calls.some((call) => call.startsWith('create'))).toBe(false);

    network.calls.length = 0;
    await deploy(model, options(network, { resume: deployment }));
    expect(network.calls).not.toContain('put_chunk');
    expect(network.calls).not.toContain('register_model');
  });

  test('workers that never become ready are reported', async () => {
    const network = new FakeNetwork();
    network.failure = (method, canister) => {
      const worker = network.workers.get(canister);
      if (method === 'status' && worker) worker.loadingFor = 5;
      return undefined;
    };
    const attempt = deploy(await sampleModel(), options(network, { loadTimeoutMs: 30 }));
    await expect(attempt).rejects.toMatchObject({ code: 'timeout', retryable: true });
  });
});

test.each(['{', '{}', '{"format":"canopy-deployment","version":9}'])(
  'what is no manifest is refused: %s',
  (json) => {
    expect(() => parseDeployment(json)).toThrow('manifest: ');
  },
);
