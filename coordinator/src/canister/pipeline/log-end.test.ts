import { describe, expect, test, vi } from 'vitest';
import {
  ByteReader,
  ByteWriter,
  RunEnd,
  encodeBundle,
  type EndedRun,
  type StageTrace,
} from '@canopy/protocol';
import {
  FakeIc,
  alice,
  doneResult,
  endedRuns,
  samplePlan,
  workerIds,
} from '../../testing/fake-ic.js';
import { Coordinator } from '../coordinator.js';
import { CallFailure } from '../ic/ic.js';
import type { LoggedRequest } from '../metrics/logged-request.js';
import { fetchAndLog, fetchPart, release } from './fetch.js';
import { restoreTraffic, saveTraffic } from '../state.js';
import { submit } from './infer.js';

const inputs = encodeBundle([
  { name: 'x', dtype: 'float32', dims: [1, 2], data: new Uint8Array(8) },
  { name: 'mask', dtype: 'int64', dims: [1], data: new Uint8Array(8) },
]);
const bundle = encodeBundle([{ name: '', dtype: 'uint8', dims: [1, 8], data: new Uint8Array(8) }]);

const counts = { messages: 1, bytesReceived: 10, bytesSent: 20, scratchBytes: 30 };
const traces: StageTrace[] = [
  { instructions: 2000n, ...counts },
  { instructions: 2002n, ...counts },
];

/** A coordinator whose head holds a result of request 9, and says how it ended when it is released. */
async function submitted(ended: Partial<EndedRun>) {
  const ic = new FakeIc();
  const coordinator = new Coordinator(ic);
  const plan = samplePlan();
  const planText = JSON.stringify(plan);
  coordinator.models.add({ name: 'm', plan, planText, workers: workerIds, epoch: 1n });
  const result = doneResult(9n, [bundle]);
  ic.onCall = (method, bytes) => {
    if (method === 'enqueue') return new ByteWriter().u64(9n).finish();
    if (method === 'release') return endedRuns([9n], ended);
    const input = new ByteReader(bytes, 'fetch');
    expect([input.u64(), input.u64()]).toEqual([1n, 9n]);
    const part = result.subarray(input.u32());
    return new ByteWriter().u32(1).u32(result.length).bytes(part).finish();
  };
  const { ticket } = await submit(coordinator, 'm', inputs);
  return { ic, coordinator, ticket };
}

async function logged(coordinator: Coordinator, ticket: bigint): Promise<LoggedRequest> {
  return vi.waitFor(() => {
    const entry = coordinator.requests.find(ticket)!;
    expect(entry.finishedAtNs).toBeDefined();
    return entry;
  });
}

describe('a request that is released is logged as its worker says', () => {
  test('done, with what its stages did, in one call and no other', async () => {
    const { ic, coordinator, ticket } = await submitted({ byteLength: 77, traces });
    await fetchPart(coordinator, ticket, 0);
    ic.calls.length = 0;
    release(coordinator, ticket);
    expect(await logged(coordinator, ticket)).toMatchObject({
      bytesSent: 77,
      stages: [{ worker: workerIds[0], instructions: 2000n }, { instructions: 2002n }],
    });
    expect(ic.calls.map(({ method }) => method)).toEqual(['release']);
    expect(coordinator.requests.counters).toMatchObject({ failed: 0, workerInstructions: 4002n });
  });

  test('failed, with the stage, its error and what was done before', async () => {
    const text = '[out-of-memory] no';
    const { coordinator, ticket } = await submitted({
      end: RunEnd.failed,
      stage: 1,
      text,
      traces,
    });
    release(coordinator, ticket);
    const entry = await logged(coordinator, ticket);
    expect(entry).toMatchObject({
      error: {
        code: 'out-of-memory',
        message: `stage 1 (worker ${workerIds[1]!.toText()}): no`,
      },
      stages: [{ instructions: 2000n }, { instructions: 2002n }],
    });
    expect(coordinator.requests.counters).toMatchObject({ requests: 1, failed: 1 });
  });

  test.each([
    ['cancelled where it was not done', RunEnd.cancelled, 'cancelled'],
    ['lost where the workers do not know it any more', RunEnd.unknown, 'unknown-request'],
  ])('%s', async (_, end, code) => {
    const { coordinator, ticket } = await submitted({ end });
    release(coordinator, ticket);
    expect((await logged(coordinator, ticket)).error).toMatchObject({ code });
  });

  test('lost where its worker is gone', async () => {
    const { ic, coordinator, ticket } = await submitted({});
    ic.onCall = () => {
      throw new CallFailure(3, 'Canister not found');
    };
    release(coordinator, ticket);
    expect((await logged(coordinator, ticket)).error).toMatchObject({ code: 'unknown-request' });
  });

  test('once: not where fetching it by an update logged it', async () => {
    const { ic, coordinator, ticket } = await submitted({ end: RunEnd.cancelled });
    await fetchAndLog(coordinator, ticket, 0xffffffff);
    expect(coordinator.requests.find(ticket)?.finishedAtNs).toBeUndefined();
    await fetchAndLog(coordinator, ticket, 0);
    ic.calls.length = 0;
    release(coordinator, ticket);
    await vi.waitFor(() => {
      expect(ic.calls.map(({ method }) => method)).toEqual(['release']);
    });
    const entry = coordinator.requests.find(ticket);
    expect(entry?.error).toBeUndefined();
    expect(entry).toMatchObject({ stages: [{ instructions: 1000n }, {}] });
  });
});

test('a request that is being released at an upgrade is logged after it', async () => {
  const { coordinator, ticket } = await submitted({});
  // It was released, and its worker has not answered before the upgrade.
  coordinator.tickets.remove(ticket);
  const { requests, ...saved } = saveTraffic(coordinator);
  const placed = { head: workerIds[0]!, keeper: { worker: workerIds[0]!, stage: 0 } };
  const releases = [{ ...placed, requestId: 9n, epoch: 1n, ticket }];
  const upgraded = (await submitted({ byteLength: 5, traces })).coordinator;
  restoreTraffic(upgraded, { ...saved, requests, releases });
  expect(upgraded.requests.find(ticket)?.error).toBeUndefined();
  upgraded.releases.tell();
  const entry = await logged(upgraded, ticket);
  expect(entry.error).toBeUndefined();
  expect(entry.bytesSent).toBe(5);
});

test('a request that ended at a worker unasked is logged when that next answers', async () => {
  const { ic, coordinator, ticket } = await submitted({});
  ic.onCall = () => {
    const text = '[deadline] late';
    const reply = endedRuns([9n], { end: RunEnd.failed, text });
    return new Uint8Array(Buffer.concat([new ByteWriter().u64(10n).finish(), reply]));
  };
  await submit(coordinator, 'm', inputs);
  const entry = await logged(coordinator, ticket);
  expect(entry.error).toMatchObject({ code: 'deadline' });
  expect(coordinator.requests.latest(10, alice)[0]?.finishedAtNs).toBeUndefined();
});
