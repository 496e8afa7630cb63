import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { ByteReader, ByteWriter, encodeBundle } from '@canopy/protocol';
import { FakeIc, doneResult, failedResult, samplePlan, workerIds } from '../../testing/fake-ic.js';
import { Coordinator } from '../coordinator.js';
import { CallFailure } from '../ic/ic.js';
import type { LoggedRequest } from '../metrics/logged-request.js';
import { fetchAndLog, fetchPart, release } from './fetch.js';
import { submit } from './infer.js';
import { settle } from './settle.js';

const inputs = encodeBundle([
  { name: 'x', dtype: 'float32', dims: [1, 2], data: new Uint8Array(8) },
  { name: 'mask', dtype: 'int64', dims: [1], data: new Uint8Array(8) },
]);

/** A head that holds `result`, or says it waits; it is asked for parts and counts what it gives. */
function headWith(ic: FakeIc, result: Uint8Array | 'pending'): { given: () => number } {
  let given = 0;
  ic.onCall = (method, bytes) => {
    if (method === 'enqueue') return new ByteWriter().u64(9n).finish();
    if (method === 'release') return new Uint8Array();
    if (result === 'pending') {
      return new ByteWriter().u32(0).u32(0).u32(3).u64(9n).u32(1).u32(4).finish();
    }
    const input = new ByteReader(bytes, 'fetch');
    expect([input.u64(), input.u64()]).toEqual([1n, 9n]);
    const offset = input.u32();
    const part = result.subarray(offset, offset + input.u32());
    given += part.length;
    return new ByteWriter().u32(1).u32(result.length).bytes(part).finish();
  };
  return { given: () => given };
}

function bundle(bytes: number): Uint8Array {
  const data = new Uint8Array(bytes);
  return encodeBundle([{ name: '', dtype: 'uint8', dims: [1, bytes], data }]);
}

async function submitted(result: Uint8Array | 'pending') {
  const ic = new FakeIc();
  const coordinator = new Coordinator(ic);
  const plan = samplePlan();
  const planText = JSON.stringify(plan);
  coordinator.models.add({ name: 'm', plan, planText, workers: workerIds, epoch: 1n });
  const { given } = headWith(ic, result);
  const { ticket } = await submit(coordinator, 'm', inputs);
  return { ic, coordinator, ticket, given };
}

async function cancelled(
  coordinator: Coordinator,
  ic: FakeIc,
  ticket: bigint,
): Promise<LoggedRequest> {
  void settle(coordinator, coordinator.tickets.find(ticket)!);
  await vi.waitFor(() => {
    expect(ic.calls.at(-1)?.method).toBe('release');
  });
  return coordinator.requests.find(ticket)!;
}

describe('a request that is cancelled by its number is logged as it ended', () => {
  test('with what its stages did', async () => {
    const result = doneResult(9n, [bundle(8), bundle(8)]);
    const { ic, coordinator, ticket } = await submitted(result);
    await fetchPart(coordinator, ticket, 0);
    expect(coordinator.requests.find(ticket)?.finishedAtNs).toBeUndefined();
    const entry = await cancelled(coordinator, ic, ticket);
    expect(entry).toMatchObject({
      bytesSent: result.length,
      stages: [{ worker: workerIds[0], instructions: 2000n }, { instructions: 2002n }],
    });
    expect(coordinator.requests.counters).toMatchObject({ failed: 0, workerInstructions: 4002n });
  });

  test('of large results only the traces are read', async () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 200_000 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(sizes, async (bytes) => {
        const result = doneResult(9n, bytes.map(bundle));
        const { ic, coordinator, ticket, given } = await submitted(result);
        const entry = await cancelled(coordinator, ic, ticket);
        expect(entry.stages.map(({ instructions }) => instructions)).toEqual([
          BigInt(1000 * bytes.length),
          BigInt(1001 * bytes.length),
        ]);
        expect(given()).toBeLessThanOrEqual(16 * 1024 + bytes.length * 80);
      }),
      { numRuns: 30 },
    );
  });

  test('as failed, with the stage and its error', async () => {
    const { ic, coordinator, ticket } = await submitted(failedResult(9n, 1, '[out-of-memory] no'));
    await fetchPart(coordinator, ticket, 0);
    const entry = await cancelled(coordinator, ic, ticket);
    expect(entry.error).toMatchObject({
      code: 'out-of-memory',
      message: `stage 1 (worker ${workerIds[1]!.toText()}): no`,
    });
    expect(coordinator.requests.counters).toMatchObject({ requests: 1, failed: 1 });
  });

  test('as cancelled where it was not done', async () => {
    const { ic, coordinator, ticket } = await submitted('pending');
    const entry = await cancelled(coordinator, ic, ticket);
    expect(entry.error).toMatchObject({ code: 'cancelled' });
  });

  test('as lost where the workers do not know it any more', async () => {
    const { ic, coordinator, ticket } = await submitted('pending');
    ic.onCall = (method) => {
      if (method === 'release') return new Uint8Array();
      throw new CallFailure(4, '[unknown-request] there is no request 9');
    };
    const entry = await cancelled(coordinator, ic, ticket);
    expect(entry.error).toMatchObject({ code: 'unknown-request' });
  });

  test('once: not where fetching it by an update logged it', async () => {
    const { ic, coordinator, ticket } = await submitted(doneResult(9n, [bundle(8)]));
    await fetchAndLog(coordinator, ticket, 0xffffffff);
    expect(coordinator.requests.find(ticket)?.finishedAtNs).toBeUndefined();
    await fetchAndLog(coordinator, ticket, 0);
    ic.calls.length = 0;
    await cancelled(coordinator, ic, ticket);
    expect(ic.calls.map(({ method }) => method)).toEqual(['release']);
    expect(coordinator.requests.counters).toMatchObject({ workerInstructions: 2001n });
  });
});

test('releasing a result that was read by queries asks the workers nothing', async () => {
  const { ic, coordinator, ticket } = await submitted(doneResult(9n, [bundle(8)]));
  await fetchPart(coordinator, ticket, 0);
  ic.calls.length = 0;
  release(coordinator, ticket);
  await vi.waitFor(() => {
    expect(ic.calls.map(({ method }) => method)).toEqual(['release']);
  });
  const entry = coordinator.requests.find(ticket);
  expect(entry?.stages).toEqual([]);
  expect(entry?.error).toBeUndefined();
  expect(entry?.finishedAtNs).toBeDefined();
});
