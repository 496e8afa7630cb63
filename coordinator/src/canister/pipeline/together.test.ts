import { describe, expect, test, vi } from 'vitest';
import { ByteReader, ByteWriter, RunEnd, decodeResult, encodeBundle } from '@canopy/protocol';
import {
  FakeIc,
  alice,
  bob,
  endedRuns,
  moreWorkerIds,
  readTogether,
  samplePlan,
  workerIds,
} from '../../testing/fake-ic.js';
import { Coordinator } from '../coordinator.js';
import { CallFailure } from '../ic/ic.js';
import { restoreModels, restoreTraffic, saveModels, saveTraffic } from '../state.js';
import { cancel, fetchPart, release } from './fetch.js';
import { infer, submit } from './infer.js';
import { handOverMethod } from './together.js';
import { longestWaitSeconds, mostWaiting } from './waiting.js';

const [first, second] = [workerIds, moreWorkerIds].map(([id]) => id!.toText());

/** A request of so many bytes of data. */
function inputs(bytes = 8): Uint8Array {
  const rows = bytes / 8;
  const x = { name: 'x', dtype: 'float32', dims: [rows, 2], data: new Uint8Array(bytes) } as const;
  const mask = { name: 'mask', dtype: 'int64', dims: [rows], data: new Uint8Array(bytes) } as const;
  return encodeBundle([x, mask]);
}

/** A head's answer to one of several requests. */
type Says = bigint | string;

function takenReply(says: readonly Says[]): Uint8Array {
  const out = new ByteWriter();
  for (const one of says) {
    if (typeof one === 'bigint') out.u64(one);
    else out.u64(0n).text(one);
  }
  return out.finish();
}

/** A coordinator in whose round time stands still; `heads` answer requests that come together. */
function setUp(heads: (canister: string, runs: number) => readonly Says[], pipelines = 1) {
  const ic = new FakeIc();
  ic.step = 0n;
  const coordinator = new Coordinator(ic);
  // So many that a large request has not too many.
  const microBatchRows = 64;
  const plan = { ...samplePlan(), pipelines, microBatchRows };
  const workers = [...workerIds, ...(pipelines === 2 ? moreWorkerIds : [])];
  const planText = JSON.stringify(plan);
  coordinator.models.add({ name: 'm', plan, planText, workers, epoch: 5n });
  const calls: [string, number][] = [];
  let nextId = 100n;
  ic.onCall = (method, bytes, canister) => {
    if (method === 'release') {
      const input = new ByteReader(bytes, 'release');
      input.u64();
      return endedRuns([input.u64()], { end: RunEnd.cancelled });
    }
    expect(method).toBe('enqueue');
    const { runs, epoch } = readTogether(bytes);
    expect(epoch).toBe(5n);
    calls.push([canister, runs.length]);
    return takenReply(runs.length === 1 ? [nextId++] : heads(canister, runs.length));
  };
  const ask = async (count: number): Promise<bigint[]> => {
    const tickets: bigint[] = [];
    for (let index = 0; index < count; index++) {
      tickets.push((await submit(coordinator, 'm', inputs())).ticket);
    }
    return tickets;
  };
  /** The coordinator's message to itself has come, and the heads have answered. */
  const handedOver = async (): Promise<void> => {
    coordinator.gathered.handOver();
    await vi.waitFor(() => {
      expect(coordinator.inFlight.count).toBe(0);
    });
  };
  return { ic, coordinator, calls, ask, handedOver };
}

const idsFrom =
  (start: bigint) =>
  (_: string, runs: number): bigint[] =>
    Array.from({ length: runs }, (__, index) => start + BigInt(index));

describe('requests of a round', () => {
  test('go together but for the first, which is handed over at once', async () => {
    const { ic, coordinator, calls, ask, handedOver } = setUp(idsFrom(7n));
    const tickets = await ask(4);
    expect(calls).toEqual([[first, 1]]);
    expect(ic.ownCalls).toEqual([handOverMethod]);
    expect(await fetchPart(coordinator, tickets[1]!, 0)).toEqual({
      kind: 'pending',
      done: 0,
      total: 1,
    });
    await handedOver();
    expect(calls).toEqual([
      [first, 1],
      [first, 3],
    ]);
    const placed = tickets.map((id) => coordinator.tickets.find(id)?.placed?.requestId);
    expect(placed).toEqual([100n, 7n, 8n, 9n]);
    ic.time += 1n;
    await ask(1);
    expect(calls).toHaveLength(3);
  });

  test('those that would wait get tickets too', async () => {
    const { ic, coordinator, ask, handedOver } = setUp(idsFrom(7n));
    await ask(1);
    const [one, other] = [
      await infer(coordinator, 'm', inputs()),
      await infer(coordinator, 'm', inputs()),
    ];
    expect([one, other]).toEqual([
      { kind: 'ticket', ticket: 2n },
      { kind: 'ticket', ticket: 3n },
    ]);
    await handedOver();
    expect(ic.ownCalls).toHaveLength(1);
    expect(coordinator.tickets.find(3n)?.placed?.requestId).toBe(8n);
  });

  test('large ones go alone', async () => {
    const { coordinator, calls, ask } = setUp(idsFrom(7n));
    await ask(1);
    await submit(coordinator, 'm', inputs(64 * 1024));
    expect(calls).toEqual([
      [first, 1],
      [first, 1],
    ]);
  });

  test('go to the pipelines in turn, one call to each', async () => {
    const { calls, ask, handedOver } = setUp(idsFrom(7n), 2);
    await ask(8);
    await handedOver();
    expect(calls).toEqual([
      [first, 1],
      [second, 1],
      [first, 3],
      [second, 3],
    ]);
  });

  test('are handed over by the answer to the first where the own message does not come', async () => {
    const { coordinator, calls } = setUp(idsFrom(7n));
    // None of their calls is answered before all have come.
    await Promise.all([1, 2, 3].map(() => submit(coordinator, 'm', inputs())));
    await vi.waitFor(() => {
      expect(calls).toEqual([
        [first, 1],
        [first, 2],
      ]);
    });
  });
});

describe('of requests that go together', () => {
  test('one that is refused fails by itself, and its caller learns of it by its ticket', async () => {
    const { ic, coordinator, ask, handedOver } = setUp(() => [7n, '[busy] 64 requests wait', 8n]);
    const tickets = await ask(4);
    await handedOver();
    const placed = tickets.map((id) => coordinator.tickets.find(id)?.placed?.requestId);
    expect(placed).toEqual([100n, 7n, undefined, 8n]);
    const outcome = await fetchPart(coordinator, tickets[2]!, 0);
    if (outcome.kind !== 'part') throw new Error(outcome.kind);
    const text = `[busy] stage 0 (worker ${first}): 64 requests wait`;
    expect(decodeResult(outcome.bytes)).toMatchObject({ status: 'failed', text });
    expect(coordinator.requests.find(tickets[2]!)?.error).toMatchObject({
      code: 'busy',
      retryable: true,
    });
    ic.sender = bob;
    expect(() => release(coordinator, tickets[2]!)).toThrow(/not known here for this caller/);
    ic.sender = alice;
    expect(release(coordinator, tickets[2]!)).toEqual({ kind: 'ok' });
  });

  test('what one pipeline refuses the next is offered', async () => {
    const { coordinator, calls, ask, handedOver } = setUp(
      (canister, runs) =>
        canister === first
          ? Array.from({ length: runs }, () => '[busy] full')
          : idsFrom(7n)('', runs),
      2,
    );
    const tickets = await ask(6);
    await handedOver();
    expect(calls.slice(2)).toEqual([
      [first, 2],
      [second, 2],
      [second, 2],
    ]);
    for (const ticket of tickets) expect(coordinator.tickets.find(ticket)?.placed).toBeDefined();
  });

  test('those that a trap does not concern are offered again by themselves', async () => {
    const { ic, coordinator, calls, ask, handedOver } = setUp(() => []);
    await ask(1);
    const { onCall } = ic;
    ic.onCall = (method, bytes, canister) => {
      if (readTogether(bytes).runs.length > 1) throw new CallFailure(5, 'heap out of bounds');
      return onCall(method, bytes, canister);
    };
    const tickets = await ask(3);
    await handedOver();
    expect(calls).toHaveLength(4);
    for (const ticket of tickets) expect(coordinator.tickets.find(ticket)?.placed).toBeDefined();
  });

  test('one that is cancelled on its way is released when it has arrived', async () => {
    const { ic, coordinator, ask, handedOver } = setUp(idsFrom(7n));
    await ask(1);
    const number = { id: 3n, digest: 4n };
    const { ticket } = await submit(coordinator, 'm', inputs(), number);
    await ask(1);
    cancel(coordinator, 3n);
    expect(coordinator.requests.find(ticket)?.error).toMatchObject({ code: 'cancelled' });
    await handedOver();
    await vi.waitFor(() => {
      expect(ic.calls.at(-1)).toMatchObject({ method: 'release', canister: first });
    });
    expect(coordinator.tickets.find(ticket)).toBeUndefined();
  });
});

describe('requests that no head takes, because workers are away', () => {
  const stopped = new CallFailure(5, 'Canister abc is stopped');
  const secondNs = 1_000_000_000n;

  /** A coordinator whose heads are stopped until they are said to be there; one request was taken before. */
  async function setUpStopped(pipelines = 1) {
    const parts = setUp(idsFrom(7n), pipelines);
    const { ic, coordinator, ask, calls } = parts;
    await ask(pipelines);
    const { onCall } = ic;
    let failure: CallFailure | undefined = stopped;
    const deadlines: number[] = [];
    ic.onCall = (method, bytes, canister) => {
      if (failure) throw failure;
      if (method === 'enqueue') {
        deadlines.push(...readTogether(bytes).runs.map((run) => run.deadlineSeconds));
      }
      return onCall(method, bytes, canister);
    };
    calls.length = 0;
    const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    return {
      ...parts,
      deadlines,
      heads: (says: CallFailure | undefined) => {
        failure = says;
      },
      refused: async () => {
        coordinator.gathered.handOver();
        await settled();
      },
      /** So many seconds pass, and the timers that were set come. */
      passes: async (seconds: bigint, of: FakeIc = ic) => {
        of.time += seconds * secondNs;
        for (const run of of.timers.splice(0)) run();
        await settled();
      },
      onTheWay: () => coordinator.inFlight.count,
    };
  }

  const codeOf = (coordinator: Coordinator, ticket: bigint): string | undefined =>
    coordinator.requests.find(ticket)?.error?.code;
  const requestIdOf = (coordinator: Coordinator, ticket: bigint): bigint | undefined =>
    coordinator.tickets.find(ticket)?.placed?.requestId;

  test('wait, are offered again in one call, and are taken when a head is back', async () => {
    const { coordinator, calls, ask, refused, passes, heads, onTheWay } = await setUpStopped();
    const tickets = await ask(3);
    await refused();
    for (let times = 0; times < 3; times++) await passes(5n);
    expect(await fetchPart(coordinator, tickets[0]!, 0)).toMatchObject({ kind: 'pending' });
    expect(onTheWay()).toBe(3);
    heads(undefined);
    await passes(5n);
    expect(calls).toEqual([[first, 3]]);
    expect(tickets.map((ticket) => requestIdOf(coordinator, ticket))).toEqual([7n, 8n, 9n]);
    expect(onTheWay()).toBe(0);
    await passes(5n);
    expect(calls).toHaveLength(1);
  });

  test.each([infer, submit])('wait also where they went alone: %o', async (asks) => {
    const { coordinator, calls, passes, heads, onTheWay } = await setUpStopped();
    await passes(1n);
    const { ticket } = (await asks(coordinator, 'm', inputs(128 * 1024))) as { ticket: bigint };
    expect(onTheWay()).toBe(1);
    expect(await fetchPart(coordinator, ticket, 0)).toMatchObject({ kind: 'pending' });
    heads(undefined);
    await passes(5n);
    expect(calls).toEqual([[first, 1]]);
    expect(requestIdOf(coordinator, ticket)).toBeDefined();
    expect(onTheWay()).toBe(0);
  });

  test('wait alone where the other pipeline is full, but not where none is away', async () => {
    const { ic, coordinator, passes } = await setUpStopped(2);
    const { onCall } = ic;
    const full = new CallFailure(4, '[busy] 64 requests wait');
    ic.onCall = (method, bytes, canister) => {
      if (canister === second) throw full;
      return onCall(method, bytes, canister);
    };
    await passes(1n);
    expect(await infer(coordinator, 'm', inputs())).toMatchObject({ kind: 'ticket' });
    ic.onCall = () => {
      throw full;
    };
    ic.time += secondNs;
    await expect(infer(coordinator, 'm', inputs())).rejects.toMatchObject({
      kind: { code: 'busy' },
    });
  });

  test('are not run where they were cancelled by their number while they went alone', async () => {
    const { ic, coordinator, calls, passes, heads } = await setUpStopped();
    await passes(1n);
    const number = { id: 9n, digest: 1n, deadline_seconds: [] as [] };
    const asked = infer(coordinator, 'm', inputs(), number);
    cancel(coordinator, 9n);
    const { ticket } = (await asked) as { ticket: bigint };
    heads(undefined);
    ic.time += secondNs;
    await passes(5n);
    expect(calls).toEqual([]);
    expect(codeOf(coordinator, ticket)).toBe('cancelled');
  });

  test.each([
    ['a head that loads', new CallFailure(4, '[not-ready] the worker has not loaded its shard')],
    ['a coordinator out of cycles', new CallFailure(0, 'the coordinator has 0 cycles to spend')],
  ])('wait for %s', async (_, failure) => {
    const { coordinator, ask, refused, passes, heads } = await setUpStopped();
    heads(failure);
    const [ticket] = await ask(1);
    await refused();
    heads(undefined);
    await passes(5n);
    expect(requestIdOf(coordinator, ticket!)).toBe(100n + 1n);
  });

  test('wait where the other pipeline is full, and while the head that is back is full', async () => {
    const { ic, coordinator, ask, refused, passes, heads } = await setUpStopped(2);
    const { onCall } = ic;
    ic.onCall = (method, bytes, canister) => {
      if (canister === second) throw new CallFailure(4, '[busy] 64 requests wait');
      return onCall(method, bytes, canister);
    };
    const tickets = await ask(2);
    await refused();
    heads(new CallFailure(4, '[busy] 64 requests wait'));
    await passes(5n);
    heads(undefined);
    await passes(5n);
    for (const ticket of tickets) expect(requestIdOf(coordinator, ticket)).toBeDefined();
  });

  test('are refused after a while, each on its own account', async () => {
    const { coordinator, ask, refused, passes, onTheWay } = await setUpStopped();
    const tickets = await ask(2);
    await refused();
    await passes(BigInt(longestWaitSeconds) - 1n);
    expect(onTheWay()).toBe(2);
    await passes(5n);
    for (const ticket of tickets) {
      expect(coordinator.requests.find(ticket)?.error).toMatchObject({
        code: 'unreachable',
        message: `stage 0 (worker ${first}): ${stopped.message}; it was offered again for 120 seconds`,
      });
    }
    expect(onTheWay()).toBe(0);
  });

  test('are refused at once by what is not only away', async () => {
    const { coordinator, ask, refused, passes, heads } = await setUpStopped();
    const [ticket] = await ask(1);
    await refused();
    heads(new CallFailure(5, 'heap out of bounds'));
    await passes(5n);
    expect(codeOf(coordinator, ticket!)).toBe('trapped');
  });

  test('end with their deadline, which the head is told without the time that passed', async () => {
    const { coordinator, ask, refused, passes, heads, deadlines } = await setUpStopped();
    const numbered = async (id: bigint, seconds: number): Promise<bigint> => {
      const number = { id, digest: 1n, deadline_seconds: [seconds] as [number] };
      return (await submit(coordinator, 'm', inputs(), number)).ticket;
    };
    await ask(1);
    const [short, long] = [await numbered(1n, 4), await numbered(2n, 60)];
    await refused();
    heads(undefined);
    await passes(5n);
    expect(codeOf(coordinator, short)).toBe('deadline');
    expect(requestIdOf(coordinator, long)).toBeDefined();
    expect(deadlines).toEqual([0, 55]);
    // Its number is free: nothing was run for it.
    expect(await numbered(1n, 4)).not.toBe(short);
  });

  test('are not offered any more once they are cancelled', async () => {
    const { coordinator, calls, ask, refused, passes, heads, onTheWay } = await setUpStopped();
    const tickets = await ask(2);
    await refused();
    release(coordinator, tickets[0]!);
    heads(undefined);
    await passes(5n);
    expect(calls).toEqual([[first, 1]]);
    expect(codeOf(coordinator, tickets[0]!)).toBe('cancelled');
    expect(onTheWay()).toBe(0);
  });

  test('are limited, and go in as many calls as they need', async () => {
    const { ic, coordinator, calls, refused, passes, heads, onTheWay } = await setUpStopped();
    const tickets: bigint[] = [];
    const callers = Array.from({ length: 12 }, (_, at) => ic.principal(Uint8Array.of(9, at)));
    for (const caller of callers) {
      Object.assign(ic, { sender: caller });
      for (let count = 0; count < 100; count++) {
        const asked = submit(coordinator, 'm', inputs()).catch(() => undefined);
        const ticket = (await asked)?.ticket;
        if (ticket !== undefined) tickets.push(ticket);
      }
      await refused();
      ic.time += 1n;
    }
    expect(tickets.length).toBeGreaterThan(mostWaiting);
    expect(onTheWay()).toBe(mostWaiting);
    const wanted = tickets.filter((ticket) => coordinator.tickets.find(ticket)).length;
    heads(undefined);
    await passes(5n);
    const runs = calls.map(([, count]) => count);
    expect(Math.max(...runs)).toBe(256);
    const placed = tickets.filter((ticket) => requestIdOf(coordinator, ticket) !== undefined);
    expect(placed.length).toBe(runs.reduce((sum, count) => sum + count));
    expect(placed.length).toBeLessThanOrEqual(wanted);
    expect(placed.length).toBeGreaterThan(700);
    expect(onTheWay()).toBe(0);
  });

  test('wait through an upgrade', async () => {
    const { ic, coordinator, calls, ask, refused, passes, heads } = await setUpStopped();
    const number = { id: 3n, digest: 1n, deadline_seconds: [60] as [number] };
    await ask(1);
    const { ticket } = await submit(coordinator, 'm', inputs(), number);
    const [other] = await ask(1);
    await refused();
    release(coordinator, other!);
    const upgraded = new Coordinator(ic);
    restoreModels(upgraded, saveModels(coordinator));
    const runs = coordinator.gathered.all().map(({ request }) => [request.ticket.id, request.run]);
    ic.timers.length = 0;
    restoreTraffic(upgraded, saveTraffic(coordinator), new Map(runs as [bigint, Uint8Array][]));
    heads(undefined);
    await passes(5n);
    expect(calls).toEqual([[first, 2]]);
    expect(requestIdOf(upgraded, ticket)).toBe(8n);
    expect(upgraded.inFlight.count).toBe(0);
    expect(await submit(upgraded, 'm', inputs(), number)).toEqual({ kind: 'ok', ticket });
  });

  test('are cancelled by an upgrade that has lost their model', async () => {
    const { ic, coordinator, ask, refused } = await setUpStopped();
    const [ticket] = await ask(1);
    await refused();
    const upgraded = new Coordinator(ic);
    restoreTraffic(upgraded, saveTraffic(coordinator), new Map([[ticket!, new Uint8Array(44)]]));
    expect(codeOf(upgraded, ticket!)).toBe('cancelled');
    expect(await fetchPart(upgraded, ticket!, 0)).toMatchObject({ kind: 'part' });
  });
});
