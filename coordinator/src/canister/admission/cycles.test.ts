import { expect, test } from 'vitest';
import { ByteWriter, encodeBundle } from '@canopy/protocol';
import { FakeIc, endedRuns, moreWorkerIds, samplePlan, workerIds } from '../../testing/fake-ic.js';
import { Coordinator } from '../coordinator.js';
import { CallFailure } from '../ic/ic.js';
import { fetchPart, release } from '../pipeline/fetch.js';
import { submit } from '../pipeline/infer.js';
import { longestWaitSeconds } from '../pipeline/waiting.js';

const inputs = encodeBundle([
  { name: 'x', dtype: 'float32', dims: [1, 2], data: new Uint8Array(8) },
  { name: 'mask', dtype: 'int64', dims: [1], data: new Uint8Array(8) },
]);
const isLow = { kind: { code: 'low-on-cycles', retryable: true } };

function newCoordinator(pipelines = 1): { ic: FakeIc; coordinator: Coordinator } {
  const ic = new FakeIc();
  const coordinator = new Coordinator(ic);
  const plan = { ...samplePlan(), pipelines };
  const workers = pipelines === 1 ? workerIds : [...workerIds, ...moreWorkerIds];
  coordinator.models.add({ name: 'm', plan, planText: '', workers, epoch: 1n });
  ic.onCall = (method) => {
    if (method === 'enqueue') return new ByteWriter().u64(9n).finish();
    if (method === 'release') return endedRuns([9n]);
    return new ByteWriter().u32(1).u32(1).u8(7).finish();
  };
  return { ic, coordinator };
}

test('a coordinator that is low on cycles takes nothing new, and gives out what it has', async () => {
  const { ic, coordinator } = newCoordinator();
  const { ticket } = await submit(coordinator, 'm', inputs);
  ic.held = { balance: 10n ** 12n, liquid: 199_999_999_999n };
  ic.time += 11_000_000_000n;
  const number = { id: 5n, digest: 1n };
  const calls = ic.calls.length;
  await expect(submit(coordinator, 'm', inputs, number)).rejects.toMatchObject(isLow);
  await expect(submit(coordinator, 'm', inputs)).rejects.toThrow(/199999 M cycles.*top it up/);
  expect(ic.calls).toHaveLength(calls);
  expect(coordinator.inFlight.count).toBe(0);
  expect(await fetchPart(coordinator, ticket, 0)).toMatchObject({ kind: 'part' });
  expect(release(coordinator, ticket)).toEqual({ kind: 'ok' });
  ic.held = { balance: 10n ** 12n, liquid: 200_000_000_000n };
  // The number of what was refused is free.
  expect(await submit(coordinator, 'm', inputs, number)).toMatchObject({ kind: 'ok' });
});

test('of two pipelines the one that is low on cycles is passed over', async () => {
  const { ic, coordinator } = newCoordinator(2);
  const answer = ic.onCall;
  const low = workerIds[0]!.toText();
  const asked: string[] = [];
  ic.onCall = (method, bytes, canister) => {
    asked.push(canister);
    if (canister === low) throw new CallFailure(4, '[low-on-cycles] the worker has 1 M cycles');
    return answer(method, bytes, canister);
  };
  for (let request = 0; request < 3; request++) await submit(coordinator, 'm', inputs);
  const other = moreWorkerIds[0]!.toText();
  expect(asked).toEqual([low, other, other, other]);
});

test('where the only head is low on cycles a request waits for it, and then learns why', async () => {
  const { ic, coordinator } = newCoordinator();
  ic.onCall = () => {
    throw new CallFailure(4, '[low-on-cycles] the worker has 1 M cycles');
  };
  const { ticket } = await submit(coordinator, 'm', inputs);
  expect(coordinator.requests.find(ticket)?.error).toBeUndefined();
  ic.time += BigInt(longestWaitSeconds) * 1_000_000_000n;
  for (const run of ic.timers.splice(0)) run();
  await new Promise((resolve) => setImmediate(resolve));
  const { code, retryable } = isLow.kind;
  expect(coordinator.requests.find(ticket)?.error).toMatchObject({ code, retryable });
});
