import { expect, test } from 'vitest';
import { FakeNetwork, sampleModel } from '../testing/fake-network.js';
import { CallRejected } from '../errors.js';
import { deploy } from './deploy.js';
import { planRemoval, removeDeployment } from './remove.js';
import type { ReadyDeployment } from './manifest.js';

const modules = {
  coordinator: new TextEncoder().encode('coordinator'),
  worker: new TextEncoder().encode('worker'),
};
const retry = { attempts: 2, firstDelayMs: 1 };

async function deployed(): Promise<{ network: FakeNetwork; deployment: ReadyDeployment }> {
  const network = new FakeNetwork();
  const deployment = await deploy(await sampleModel(), { transport: network, modules, name: 'A' });
  network.calls.length = 0;
  return { network, deployment };
}

test('a deployment is stopped and deleted', async () => {
  const { network, deployment } = await deployed();
  const options = { transport: network, retry };
  const removal = await planRemoval(deployment, options);
  expect(removal).toMatchObject({ unregisters: false, left: [] });
  expect(network.workers.size).toBe(3);
  const removed: string[] = [];
  await removeDeployment(deployment, removal, {
    ...options,
    onRemoved: ({ place }, done, total) => removed.push(`${place} ${done}/${total}`),
  });
  expect(removed).toEqual(['coordinator 1/3', 'stage 0 2/3', 'stage 1 3/3']);
  expect(network.workers.size).toBe(0);
  expect(await planRemoval(deployment, options)).toEqual({
    deleted: [],
    unregisters: false,
    left: [],
  });
});

test('what others manage, or what holds something else, is left', async () => {
  const { network, deployment } = await deployed();
  const [first, second] = deployment.workers;
  network.foreign.add(first!);
  network.installed.set(second!, 'a game');
  const removal = await planRemoval(deployment, { transport: network, retry });
  expect(removal.deleted.map(({ place }) => place)).toEqual(['coordinator']);
  expect(removal.left.map(({ place, text }) => `${place} ${text}`)).toEqual([
    'stage 0 is managed by others',
    expect.stringMatching(/^stage 1 holds another module/),
  ]);
  await removeDeployment(deployment, removal, { transport: network, retry });
  expect([...network.workers.keys()]).toEqual([first, second]);
});

test.each(['was there before', 'serves "B", too'])(
  'a coordinator that %s stays, and forgets the model',
  async (reason) => {
    const { network, deployment } = await deployed();
    if (reason === 'was there before') deployment.modules[deployment.coordinator] = reason;
    else network.models.push({ ...network.models[0]!, name: 'B', workers: [] });
    const removal = await planRemoval(deployment, { transport: network, retry });
    expect(removal.left).toMatchObject([{ place: 'coordinator', text: reason }]);
    await removeDeployment(deployment, removal, { transport: network, retry });
    expect([...network.workers.keys()]).toEqual([deployment.coordinator]);
    expect(network.models.map(({ name }) => name)).not.toContain('A');
  },
);

test('a failure leaves the rest, and the same removal goes on', async () => {
  const { network, deployment } = await deployed();
  network.failure = (method, canister) =>
    method === 'delete_canister' && canister === deployment.workers[0]
      ? new CallRejected(5, 'not now')
      : undefined;
  const options = { transport: network, retry };
  const removal = await planRemoval(deployment, options);
  await expect(removeDeployment(deployment, removal, options)).rejects.toThrow('not now');
  expect([...network.workers.keys()]).toEqual(deployment.workers);
  network.failure = () => undefined;
  await removeDeployment(deployment, removal, options);
  expect(network.workers.size).toBe(0);
});

test('a worker that is stopped is deleted, and not waited for', async () => {
  const { network, deployment } = await deployed();
  network.stopped.add(deployment.workers[0]!);
  const options = { transport: network, retry: { attempts: 1 } };
  const removal = await planRemoval(deployment, options);
  expect(removal.deleted).toHaveLength(1 + deployment.workers.length);
  await removeDeployment(deployment, removal, options);
  expect(network.workers.size).toBe(0);
});
