import { expect, test } from 'vitest';
import { CallRejected } from '../errors.js';
import { sha256, toHex } from '../sha256.js';
import { FakeNetwork, sampleModel } from '../testing/fake-network.js';
import { deploy } from './deploy.js';
import type { ReadyDeployment } from './manifest.js';
import { rollBack, upgradeDeployment, type UpgradeSettings } from './upgrade.js';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const before = { coordinator: bytesOf('coordinator'), worker: bytesOf('worker') };
const modules = { coordinator: bytesOf('new coordinator'), worker: bytesOf('new worker') };

interface SetUp {
  network: FakeNetwork;
  deployment: ReadyDeployment;
  settings: UpgradeSettings;
  /** Manifests that were handed out. */
  saved: ReadyDeployment[];
}

async function setUp(): Promise<SetUp> {
  const network = new FakeNetwork();
  const deployment = await deploy(await sampleModel(), { transport: network, modules: before });
  network.calls.length = 0;
  const saved: ReadyDeployment[] = [];
  const onManifest = (state: ReadyDeployment): void => void saved.push(structuredClone(state));
  const retry = { attempts: 1 };
  return {
    network,
    deployment,
    saved,
    settings: { transport: network, modules, onManifest, retry },
  };
}

const modulesOf = ({ network, deployment }: SetUp): (string | undefined)[] =>
  [deployment.coordinator, ...deployment.workers].map((id) => network.installed.get(id));
const old = ['coordinator', 'worker', 'worker'];
const upgraded = ['new coordinator', 'new worker', 'new worker'];

test('canisters are stopped, upgraded and started one after the other, the coordinator first', async () => {
  const all = await setUp();
  const { network, deployment, settings, saved } = all;
  const steps: string[] = [];
  network.failure = (method, canister) => {
    const place = canister === deployment.coordinator ? 'coordinator' : 'worker';
    if (method !== 'canister_status') steps.push(`${method} ${place}`);
    if (method === 'install_code') expect([...network.stopped]).toEqual([canister]);
    return undefined;
  };
  const progress: string[] = [];
  const onProgress = (detail: string, done: number, total: number): void =>
    void progress.push(`${done}/${total} ${detail}`);
  const { changed, left } = await upgradeDeployment(deployment, { ...settings, onProgress });
  const one = ['stop_canister', 'take_canister_snapshot', 'install_code', 'start_canister'];
  expect(steps).toEqual(
    ['coordinator', 'worker', 'worker'].flatMap((place) => one.map((step) => `${step} ${place}`)),
  );
  expect(changed.map(({ place }) => place)).toEqual(['coordinator', 'stage 0', 'stage 1']);
  expect(left).toEqual([]);
  expect(progress.map((text) => text.slice(0, 3))).toEqual(['1/3', '2/3', '3/3']);
  expect(modulesOf(all)).toEqual(upgraded);
  expect(network.stopped.size).toBe(0);
  const hash = toHex(await sha256(modules.worker));
  expect(saved.at(-1)!.modules[deployment.workers[1]!]).toBe(hash);
});

test('where there is nothing to do nothing is done', async () => {
  const { network, deployment, settings } = await setUp();
  const { changed, left } = await upgradeDeployment(deployment, { ...settings, modules: before });
  expect(changed).toEqual([]);
  expect(left.map(({ reason }) => reason)).toEqual(Array(3).fill('holds this module already'));
  expect(new Set(network.calls)).toEqual(new Set(['canister_status']));
});

test.each(['stop_canister', 'take_canister_snapshot', 'install_code'])(
  'a canister whose %s fails goes on with what it held; the same again goes on with the rest',
  async (step) => {
    const all = await setUp();
    const { network, deployment, settings } = all;
    network.failure = (method, canister) =>
      method === step && canister === deployment.workers[0]
        ? new CallRejected(5, 'post_upgrade: [unsupported] the saved state is of another version')
        : undefined;
    const upgrade = (): Promise<unknown> => upgradeDeployment(deployment, settings);
    await expect(upgrade()).rejects.toThrow(
      /^stage 0 \(.*\) was not changed, it goes on as before: .*the saved state.*Of 3 canisters 1 are changed/,
    );
    expect(modulesOf(all)).toEqual(['new coordinator', 'worker', 'worker']);
    expect(network.stopped.size).toBe(0);
    network.failure = () => undefined;
    await upgrade();
    expect(modulesOf(all)).toEqual(upgraded);
  },
);

test('one that cannot be started again is said to be stopped', async () => {
  const { network, deployment, settings } = await setUp();
  network.failure = (method) =>
    method === 'start_canister' ? new CallRejected(2, 'the subnet is full') : undefined;
  await expect(upgradeDeployment(deployment, settings)).rejects.toThrow(
    'it is stopped and could not be started again (start_canister)',
  );
});

test('an upgrade that was cut off between its steps is gone on with', async () => {
  const all = await setUp();
  const { network, deployment, settings } = all;
  network.installed.set(deployment.coordinator, 'new coordinator');
  network.stopped.add(deployment.coordinator);
  const { changed } = await upgradeDeployment(deployment, settings);
  expect(changed).toHaveLength(2);
  expect(modulesOf(all)).toEqual(upgraded);
  expect(network.stopped.size).toBe(0);
  expect(deployment.modules[deployment.coordinator]).toBe(toHex(await sha256(modules.coordinator)));
});

test('what is not as the manifest says is refused before anything is done', async () => {
  const all = await setUp();
  const { network, deployment, settings } = all;
  network.installed.set(deployment.workers[1]!, 'a game');
  await expect(upgradeDeployment(deployment, settings)).rejects.toThrow(
    /stage 1 \(.*\) holds another module .*: nothing was upgraded/,
  );
  expect(network.calls).not.toContain('stop_canister');
  expect(modulesOf(all).slice(0, 2)).toEqual(old.slice(0, 2));
});

test('a coordinator that was there before is left', async () => {
  const all = await setUp();
  const { deployment, settings } = all;
  deployment.modules[deployment.coordinator] = 'was there before';
  const { changed, left } = await upgradeDeployment(deployment, settings);
  expect(changed).toHaveLength(2);
  expect(left).toMatchObject([
    { place: 'coordinator', reason: 'was there before: it is not of this deployment' },
  ]);
  expect(modulesOf(all)).toEqual(['coordinator', 'new worker', 'new worker']);
});

test('going back gives all canisters what they held, once', async () => {
  const all = await setUp();
  const { network, deployment, settings } = all;
  await upgradeDeployment(deployment, settings);
  const { changed } = await rollBack(deployment, settings);
  expect(changed).toHaveLength(3);
  expect(modulesOf(all)).toEqual(old);
  expect(network.stopped.size).toBe(0);
  expect(deployment.modules[deployment.workers[0]!]).toBe(toHex(await sha256(before.worker)));
  await expect(rollBack(deployment, settings)).rejects.toThrow('notes no snapshot to go back to');
});

test('without snapshots there is no way back', async () => {
  const { network, deployment, settings } = await setUp();
  await upgradeDeployment(deployment, { ...settings, snapshots: false });
  expect(network.snapshots).toEqual([]);
  await expect(rollBack(deployment, settings)).rejects.toThrow('notes no snapshot');
});
