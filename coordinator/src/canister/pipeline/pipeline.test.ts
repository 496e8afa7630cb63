import { describe, expect, test, vi } from 'vitest';
import {
  ByteReader,
  ByteWriter,
  RunEnd,
  decodeBundle,
  encodeBundle,
  type BundleTensor,
} from '@canopy/protocol';
import {
  FakeIc,
  alice,
  bob,
  doneResult,
  endedRuns,
  failedResult,
  moreWorkerIds,
  readEnqueue,
  readTogether,
  samplePlan,
  workerIds,
} from '../../testing/fake-ic.js';
import { callerText } from '../bytes/text-of-bytes.js';
import { Coordinator } from '../coordinator.js';
import { errorRecord } from '../error.js';
import { CallFailure } from '../ic/ic.js';
import { fetchAndLog, fetchPart, release } from './fetch.js';
import { restoreTraffic, saveTraffic } from '../state.js';
import { infer, submit } from './infer.js';
import { longestWaitSeconds } from './waiting.js';

function setUp(resultsStay = false): { ic: FakeIc; coordinator: Coordinator } {
  const ic = new FakeIc();
  const coordinator = new Coordinator(ic);
  const plan = { ...samplePlan(), resultsStay };
  coordinator.models.add({
    name: 'm',
    plan,
    planText: JSON.stringify(plan),
    workers: workerIds,
    epoch: 5n,
  });
  return { ic, coordinator };
}

function floats(values: number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

/** `rows` rows of x = [row, row + 0.5] and mask = [row]. */
function inputs(rows: number): Uint8Array {
  const x: BundleTensor = {
    name: 'x',
    dtype: 'float32',
    dims: [rows, 2],
    data: floats(Array.from({ length: rows * 2 }, (_, index) => index / 2)),
  };
  const mask: BundleTensor = {
    name: 'mask',
    dtype: 'int64',
    dims: [rows],
    data: new Uint8Array(rows * 8),
  };
  return encodeBundle([x, mask]);
}

/** A head that answers each micro-batch with its `x`. */
function echoHead(method: string, bytes: Uint8Array): Uint8Array {
  expect(method).toBe('enqueue');
  const bundles = readEnqueue(bytes).tasks.map((task) => {
    const tensors = decodeBundle(task);
    expect(tensors.map((tensor) => tensor.name)).toEqual(['', '']);
    return encodeBundle([tensors[1]!]);
  });
  return doneResult(7n, bundles);
}

const recordOf = async (promise: Promise<unknown>): Promise<ReturnType<typeof errorRecord>> =>
  promise.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => errorRecord(error),
  );

describe('infer', () => {
  test.each([1, 2, 3, 7])('%i rows keep their places', async (rows) => {
    const { ic, coordinator } = setUp();
    ic.onCall = echoHead;
    const outcome = await infer(coordinator, 'm', inputs(rows));
    if (outcome.kind !== 'done') throw new Error(outcome.kind);
    expect(ic.calls).toHaveLength(1);
    const batches = Math.ceil(rows / 2);
    expect(outcome.microBatches).toBe(batches);
    const [y] = outcome.outputs;
    expect(y).toMatchObject({ name: 'y', dtype: 'float32', dims: [rows, 2] });
    expect(y?.data).toEqual(floats(Array.from({ length: rows * 2 }, (_, index) => index / 2)));
    expect(outcome.stages.map((stage) => stage.instructions)).toEqual([
      BigInt(1000 * batches),
      BigInt(1001 * batches),
    ]);
    const [logged] = coordinator.requests.latest(10, alice);
    expect(logged).toMatchObject({ model: 'm', microBatches: batches, ticket: 1n });
    expect(logged?.finishedAtNs).toBeDefined();
    expect(coordinator.requests.counters).toMatchObject({ requests: 1, failed: 0 });
  });

  test.each([
    ['the deadline of the request', [90], 90],
    ['none where it names none', [], 0],
    ['none of callers that know of none', undefined, 0],
  ] as const)('the head is told %s', async (_, given, told) => {
    const { ic, coordinator } = setUp();
    ic.onCall = echoHead;
    const number = {
      id: 1n,
      digest: 2n,
      ...(given && { deadline_seconds: [...given] as [] | [number] }),
    };
    await infer(coordinator, 'm', inputs(1), number);
    expect(readEnqueue(ic.calls[0]!.bytes).deadlineSeconds).toBe(told);
  });

  test('a deadline of no time is refused before anything is run', async () => {
    const { ic, coordinator } = setUp();
    const number = { id: 1n, digest: 2n, deadline_seconds: [0] as [number] };
    const error = await recordOf(infer(coordinator, 'm', inputs(1), number));
    expect(error).toMatchObject({ code: 'bad-input' });
    expect(error.message).toContain('"deadline_seconds" must be at least 1');
    expect(ic.calls).toEqual([]);
    expect(coordinator.numbers.find(callerText(alice), 1n)).toBeUndefined();
  });

  test('a failed stage is named and logged', async () => {
    const { ic, coordinator } = setUp();
    ic.onCall = () => failedResult(7n, 1, '[out-of-memory] node "conv": 5 MiB wanted');
    const error = await recordOf(infer(coordinator, 'm', inputs(1)));
    expect(error).toEqual({
      code: 'out-of-memory',
      message: `stage 1 (worker ${workerIds[1]!.toText()}): node "conv": 5 MiB wanted`,
      retryable: false,
    });
    expect(coordinator.requests.latest(1, alice)[0]?.error).toEqual(error);
    expect(coordinator.requests.counters).toMatchObject({ requests: 1, failed: 1 });
  });

  test('a busy head is retryable', async () => {
    const { ic, coordinator } = setUp();
    ic.onCall = () => {
      throw new CallFailure(4, '[busy] 64 requests wait');
    };
    const error = await recordOf(infer(coordinator, 'm', inputs(1)));
    expect(error).toMatchObject({ code: 'busy', retryable: true });
  });

  test.each([
    [4, 'no', 'internal', false],
    [5, 'Canister abc trapped: unreachable', 'trapped', false],
    [5, 'the canister contains no Wasm module', 'not-configured', false],
    [4, 'Canister has been uninstalled.', 'not-configured', false],
    [4, '[not-authorised] only its coordinator may', 'not-configured', false],
  ])('reject code %i, "%s", becomes %s', async (rejectCode, text, code, retryable) => {
    const { ic, coordinator } = setUp();
    ic.onCall = () => {
      throw new CallFailure(rejectCode, text);
    };
    const error = await recordOf(infer(coordinator, 'm', inputs(1)));
    expect(error).toMatchObject({ code, retryable });
    expect(error.message).toContain('stage 0');
  });

  test.each([
    [2, 'Canister abc is out of cycles'],
    [3, 'Canister abc not found'],
    [5, 'Canister abc is stopped'],
    [5, 'Canister abc is stopping'],
    [5, 'Canister abc is not running'],
  ])('reject code %i, "%s", is waited for, and then unreachable', async (rejectCode, text) => {
    const { ic, coordinator } = setUp();
    ic.onCall = () => {
      throw new CallFailure(rejectCode, text);
    };
    const { ticket } = (await infer(coordinator, 'm', inputs(1))) as { ticket: bigint };
    expect(coordinator.requests.find(ticket)?.error).toBeUndefined();
    ic.time += BigInt(longestWaitSeconds) * 1_000_000_000n;
    for (const run of ic.timers.splice(0)) run();
    await new Promise((resolve) => setImmediate(resolve));
    const error = coordinator.requests.find(ticket)?.error;
    expect(error).toMatchObject({ code: 'unreachable', retryable: true });
    expect(error?.message).toContain('stage 0');
  });

  test('bad requests never reach a worker', async () => {
    const { ic, coordinator } = setUp();
    const unknown = await recordOf(infer(coordinator, 'other', inputs(1)));
    expect(unknown).toMatchObject({ code: 'unknown-model' });
    expect(unknown.message).toContain('known: "m"');
    const malformed = await recordOf(infer(coordinator, 'm', Uint8Array.of(1, 2, 3)));
    expect(malformed).toMatchObject({ code: 'bad-input' });
    expect(ic.calls).toHaveLength(0);
    expect(coordinator.requests.counters).toMatchObject({ requests: 2, failed: 2 });
    expect(coordinator.requests.latest(10, undefined)).toEqual([]);
  });

  test('a head that answers garbage is logged as failed', async () => {
    for (const ask of [infer, submit]) {
      const { ic, coordinator } = setUp();
      ic.onCall = () => new Uint8Array(2);
      const error = await recordOf(ask(coordinator, 'm', inputs(1)));
      expect(error).toMatchObject({ code: 'internal' });
      expect(coordinator.requests.latest(1, undefined)[0]?.error).toEqual(error);
      expect(coordinator.requests.counters).toMatchObject({ requests: 1, failed: 1 });
    }
  });

  test('a result that was moved becomes a ticket', async () => {
    const { ic, coordinator } = setUp();
    ic.onCall = () => new ByteWriter().u32(2).u64(9n).u32(5_000_000).finish();
    const outcome = await infer(coordinator, 'm', inputs(1));
    expect(outcome).toEqual({ kind: 'ticket', ticket: 1n });
    expect(coordinator.tickets.all()).toMatchObject([{ id: 1n, placed: { requestId: 9n } }]);
  });
});

describe('several pipelines', () => {
  const [first, second] = [workerIds[0]!.toText(), moreWorkerIds[0]!.toText()];

  function setUpTwo(resultsStay = false): { ic: FakeIc; coordinator: Coordinator } {
    const ic = new FakeIc();
    const coordinator = new Coordinator(ic);
    const plan = { ...samplePlan(), pipelines: 2, resultsStay };
    const workers = [...workerIds, ...moreWorkerIds];
    coordinator.models.add({ name: 'm', plan, planText: JSON.stringify(plan), workers, epoch: 5n });
    return { ic, coordinator };
  }
  const called = (ic: FakeIc): string[] => ic.calls.map(({ canister }) => canister);

  test('get requests in turn, and are named in the answers', async () => {
    const { ic, coordinator } = setUpTwo();
    ic.onCall = echoHead;
    const workers: string[][] = [];
    for (let count = 0; count < 4; count++) {
      const outcome = await infer(coordinator, 'm', inputs(1));
      if (outcome.kind !== 'done') throw new Error(outcome.kind);
      workers.push(outcome.stages.map(({ worker }) => worker.toText()));
    }
    expect(called(ic)).toEqual([first, second, first, second]);
    const texts = [workerIds, moreWorkerIds].map((ids) => ids.map((id) => id.toText()));
    expect(workers).toEqual([...texts, ...texts]);
  });

  test.each([
    ['is stopped', new CallFailure(5, 'Canister abc is stopped')],
    ['is not running', new CallFailure(5, 'Canister abc is not running')],
    ['has no cycles left', new CallFailure(2, 'Canister abc is out of cycles')],
    [
      'is above its memory limit',
      new CallFailure(5, 'Canister abc exceeded its Wasm memory limit'),
    ],
    ['has no code', new CallFailure(5, 'contains no Wasm module')],
    ['is deleted', new CallFailure(3, 'Canister abc not found')],
    ['is empty', new CallFailure(4, '[not-authorised] only its coordinator may call')],
    ['is not loaded', new CallFailure(4, '[not-ready] load first')],
  ])('the next takes requests where one %s, until it answers again', async (_, failure) => {
    const { ic, coordinator } = setUpTwo();
    ic.onCall = (method, bytes, canister) => {
      if (canister === first) throw failure;
      return echoHead(method, bytes);
    };
    const ask = async (count: number): Promise<string[]> => {
      ic.calls.length = 0;
      for (let index = 0; index < count; index++) {
        expect(await infer(coordinator, 'm', inputs(1))).toMatchObject({ kind: 'done' });
      }
      return called(ic);
    };
    expect(await ask(4)).toEqual([first, second, second, second, second]);
    ic.time += 10_000_000_000n;
    expect(await ask(2)).toEqual([first, second, second]);
    ic.time += 20_000_000_000n;
    ic.onCall = echoHead;
    const turns = await ask(4);
    expect(turns.filter((head) => head === first)).toHaveLength(2);
    expect(coordinator.requests.counters).toMatchObject({ requests: 10, failed: 0 });
  });

  test('one that is full keeps its turn', async () => {
    const { ic, coordinator } = setUpTwo();
    ic.onCall = (method, bytes, canister) => {
      if (canister === first) throw new CallFailure(4, '[busy] 64 requests wait');
      return echoHead(method, bytes);
    };
    for (let count = 0; count < 3; count++) await infer(coordinator, 'm', inputs(1));
    expect(called(ic)).toEqual([first, second, second, first, second]);
  });

  test('the error after which trying again may help is the one that is told', async () => {
    const { ic, coordinator } = setUpTwo();
    ic.onCall = (_method, _bytes, canister) => {
      throw canister === first
        ? new CallFailure(4, '[busy] 64 requests wait')
        : new CallFailure(5, 'Canister abc trapped');
    };
    const error = await recordOf(infer(coordinator, 'm', inputs(1)));
    expect(error).toMatchObject({ code: 'busy', retryable: true });
  });

  test('a request that all refuse is refused; one that is at fault goes to no other', async () => {
    const { ic, coordinator } = setUpTwo();
    ic.onCall = () => {
      throw new CallFailure(4, '[busy] 64 requests wait');
    };
    const error = await recordOf(infer(coordinator, 'm', inputs(1)));
    expect(error).toMatchObject({ code: 'busy', retryable: true });
    expect(called(ic)).toEqual([first, second]);
    ic.calls.length = 0;
    ic.onCall = () => {
      throw new CallFailure(4, '[bad-message] no');
    };
    await recordOf(infer(coordinator, 'm', inputs(1)));
    expect(called(ic)).toEqual([second]);
  });

  test.each([false, true])(
    'a ticket is asked for where its request went; results stay: %s',
    async (resultsStay) => {
      const { ic, coordinator } = setUpTwo(resultsStay);
      ic.onCall = () => new ByteWriter().u64(7n).finish();
      await submit(coordinator, 'm', inputs(1));
      const { ticket } = await submit(coordinator, 'm', inputs(1));
      ic.calls.length = 0;
      const result = failedResult(7n, 1, '[out-of-memory] no');
      ic.onCall = () => new ByteWriter().u32(1).u32(result.length).bytes(result).finish();
      await fetchAndLog(coordinator, ticket, 0);
      const keeper = moreWorkerIds[resultsStay ? 1 : 0]!.toText();
      expect(called(ic)).toEqual([keeper]);
      expect(coordinator.requests.find(ticket)?.error?.message).toContain(
        `stage 1 (worker ${moreWorkerIds[1]!.toText()})`,
      );
      ic.onCall = () => endedRuns([7n]);
      release(coordinator, ticket);
      await vi.waitFor(() => {
        expect(called(ic)).toEqual([keeper, keeper]);
      });
    },
  );
});

test('the head is told what requests take of the coordinator in a round', async () => {
  const { ic, coordinator } = setUp();
  ic.step = 0n;
  const loads: number[] = [];
  ic.onCall = (_, bytes) => {
    const { coordinatorLoad, runs } = readTogether(bytes);
    loads.push(coordinatorLoad);
    const ids = new ByteWriter();
    for (const [index] of runs.entries()) ids.u64(BigInt(index + 1));
    return ids.finish();
  };
  const ask = async (count: number): Promise<number[]> => {
    for (let index = 0; index < count; index++) await submit(coordinator, 'm', inputs(1));
    coordinator.gathered.handOver();
    await vi.waitFor(() => {
      expect(coordinator.inFlight.count).toBe(0);
    });
    ic.time += 1n;
    return loads.splice(0);
  };
  // 26 M each, and a little for the bytes, rounded up: of the first alone, then of all.
  expect(await ask(3)).toEqual([27, 79]);
  // The most of one of four rounds.
  for (let round = 0; round < 3; round++) expect(await ask(1)).toEqual([79]);
  expect(await ask(1)).toEqual([27]);
  // Rounds with more than messages of work can leave room for do not count.
  expect((await ask(40)).at(-1)).toBe(27);
});

describe('tickets', () => {
  const pending = new ByteWriter().u32(0).u32(0).u32(3).u64(9n).u32(1).u32(4).finish();
  const whole = doneResult(9n, [encodeBundle([])]);

  test('submit, fetch while pending, fetch in parts, release', async () => {
    const { ic, coordinator } = setUp();
    ic.onCall = () => new ByteWriter().u64(9n).finish();
    const { ticket } = await submit(coordinator, 'm', inputs(3));
    expect(readEnqueue(ic.calls[0]!.bytes)).toMatchObject({ mode: 1 });

    ic.onCall = () => pending;
    expect(await fetchPart(coordinator, ticket, 0)).toEqual({ kind: 'pending', done: 1, total: 4 });

    ic.onCall = (_, bytes) => {
      const input = new ByteReader(bytes, 'fetch');
      expect([input.u64(), input.u64()]).toEqual([5n, 9n]);
      const offset = input.u32();
      return new ByteWriter().u32(1).u32(whole.length).bytes(whole.subarray(offset)).finish();
    };
    expect(await fetchPart(coordinator, ticket, 8)).toEqual({
      kind: 'part',
      bytes: whole.subarray(8),
      total: whole.length,
    });
    expect(coordinator.requests.find(ticket)?.finishedAtNs).toBeUndefined();
    await fetchAndLog(coordinator, ticket, 0);
    expect(coordinator.requests.find(ticket)).toMatchObject({
      bytesSent: whole.length,
      stages: [{ instructions: 1000n }, { instructions: 1001n }],
    });

    ic.onCall = () => new Uint8Array();
    release(coordinator, ticket);
    const gone = await recordOf(fetchPart(coordinator, ticket, 0));
    expect(gone).toMatchObject({ code: 'unknown-request' });

    ic.onCall = () => new ByteWriter().u64(10n).finish();
    const { ticket: second } = await submit(coordinator, 'm', inputs(1));
    ic.onCall = (_, ids) => ids;
    release(coordinator, second);
    expect(coordinator.tickets.all()).toEqual([]);
  });

  test('somebody else neither fetches nor releases; a controller may', async () => {
    const { ic, coordinator } = setUp();
    ic.onCall = () => new ByteWriter().u64(9n).finish();
    ic.sender = bob;
    const { ticket } = await submit(coordinator, 'm', inputs(1));
    ic.controllers = [];
    ic.sender = alice;
    ic.onCall = () => pending;
    expect(await recordOf(fetchPart(coordinator, ticket, 0))).toMatchObject({
      code: 'unknown-request',
    });
    expect(() => release(coordinator, ticket)).toThrow(/is not known here for this caller/);
    ic.controllers = [alice];
    expect(await fetchPart(coordinator, ticket, 0)).toMatchObject({ kind: 'pending' });
  });
});

describe('results that stay at the last stage', () => {
  type Answer = Uint8Array | 'unknown';
  const [head, last] = workerIds.map((id) => id.toText());
  const pending = (done: number, total: number): Uint8Array =>
    new ByteWriter().u32(0).u32(0).u32(3).u64(9n).u32(done).u32(total).finish();
  const finished = (bytes: Uint8Array): Uint8Array =>
    new ByteWriter().u32(1).u32(bytes.length).bytes(bytes).finish();
  const whole = doneResult(9n, [encodeBundle([])]);
  const failed = failedResult(9n, 1, '[internal] no');

  /** A ticket, and workers that answer what is listed, one after the other. */
  async function ticketWith(answers: { at: string; gives: Answer }[]) {
    const { ic, coordinator } = setUp(true);
    ic.onCall = () => new ByteWriter().u64(9n).finish();
    const { ticket } = await submit(coordinator, 'm', inputs(1));
    const left = [...answers];
    ic.onCall = (_, bytes, canister) => {
      const input = new ByteReader(bytes, 'call');
      expect([input.u64(), input.u64()]).toEqual([5n, 9n]);
      const next = left.shift();
      expect(canister).toBe(next?.at);
      if (next?.gives === 'unknown') throw new CallFailure(4, '[unknown-request] no request 9');
      return next!.gives;
    };
    return { coordinator, ticket, left };
  }
  const at = (canister: string | undefined, gives: Answer) => ({ at: canister!, gives });

  test.each([
    ['is done', [at(last, finished(whole))], { kind: 'part', bytes: whole, total: whole.length }],
    [
      'waits',
      [at(last, pending(0, 0)), at(head, pending(2, 3))],
      { kind: 'pending', done: 2, total: 3 },
    ],
    [
      'failed',
      [at(last, pending(1, 3)), at(head, finished(failed))],
      { kind: 'part', bytes: failed, total: failed.length },
    ],
    [
      'is done in between',
      [at(last, pending(1, 3)), at(head, 'unknown'), at(last, finished(whole))],
      { kind: 'part', bytes: whole, total: whole.length },
    ],
  ] as const)('one that %s', async (_, answers, expected) => {
    for (const fetch of [fetchPart, fetchAndLog]) {
      const { coordinator, ticket, left } = await ticketWith([...answers]);
      expect(await fetch(coordinator, ticket, 0)).toEqual(expected);
      expect(left).toEqual([]);
    }
  });

  test('one that was pushed out', async () => {
    const { coordinator, ticket, left } = await ticketWith([
      at(last, pending(0, 0)),
      at(head, 'unknown'),
      at(last, pending(0, 0)),
    ]);
    const error = await recordOf(fetchPart(coordinator, ticket, 0));
    expect(error).toMatchObject({ code: 'unknown-request' });
    expect(left).toEqual([]);
  });

  const here = endedRuns([9n]);
  const notHere = endedRuns([9n], { end: RunEnd.unknown });
  test.each([
    ['is done', [at(last, here)]],
    ['waits or failed', [at(last, notHere), at(head, here)]],
    ['is done in between', [at(last, notHere), at(head, notHere), at(last, here)]],
    ['was pushed out', [at(last, notHere), at(head, notHere), at(last, notHere)]],
  ] as const)('one that %s is released', async (_, answers) => {
    const { coordinator, ticket, left } = await ticketWith([...answers]);
    release(coordinator, ticket);
    await vi.waitFor(() => {
      expect(left).toEqual([]);
    });
    expect(coordinator.tickets.all()).toEqual([]);
  });

  test('tickets that an earlier version saved are for the head', async () => {
    const { coordinator, ticket } = await ticketWith([]);
    const { placed, ...old } = coordinator.tickets.find(ticket)!;
    const { keeper, head: at, requestId } = placed!;
    expect(keeper).toEqual({ worker: workerIds[1], stage: 1 });
    const { coordinator: upgraded } = setUp();
    const earlier = { ...old, head: at, requestId };
    restoreTraffic(upgraded, { ...saveTraffic(coordinator), tickets: [earlier] });
    expect(upgraded.tickets.find(ticket)?.placed?.keeper).toEqual({
      worker: workerIds[0],
      stage: 0,
    });
  });
});
