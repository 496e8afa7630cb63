import { partsIn, taskCount, type SentPart } from './testing/lists.js';
import { EnqueueMode, parseCanisterError } from '@canopy/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from './testing/canister.js';
import { bundle, doubled, Pipeline, rejectionOf, resultOf, ticketOf } from './testing/pipeline.js';

const pipeline = (layers: number[], options = {}): Pipeline => Pipeline.deployed(layers, options);

/** Tasks in the order in which messages `run` or `done` carry them. */
function launched(p: Pipeline, method: 'run' | 'done'): SentPart[] {
  const seen: SentPart[] = [];
  p.ic.onMessage = (message: Message) => {
    if (message.method?.name === method) seen.push(...partsIn(method, message.method.arg));
  };
  return seen;
}

describe('the queue', () => {
  it('lets callers take turns and keeps each one in order', () => {
    const p = pipeline([1, 1]);
    const order = launched(p, 'run');
    const flood = Array.from({ length: 10 }, () =>
      p.enqueue(EnqueueMode.ticket, 1n, [bundle(1), bundle(2)]),
    );
    const single = p.enqueue(EnqueueMode.ticket, 2n, [bundle(3)]);
    p.ic.runToIdle();
    const ids = flood.map(({ answer }) => ticketOf(answer));
    const place = order.findIndex(({ id }) => id === ticketOf(single.answer));
    expect(place).toBeLessThanOrEqual(2);
    const ofFlood = order.filter(({ id }) => ids.includes(id));
    expect(ofFlood).toMatchObject(
      ids.flatMap((id) => [
        { id, taskIndex: 0, isUrgent: false },
        { id, taskIndex: 1, isUrgent: false },
      ]),
    );
  });

  it('puts a caller with a single task before those that wait at later stages', () => {
    // Tasks pile up before the slow last stage.
    const p = pipeline([1, 1, 4]);
    p.last.instructionsPerLook = 30_000_000n;
    const sent = launched(p, 'run');
    const done: SentPart[] = [];
    const underWay: number[] = [];
    const note = p.ic.onMessage!;
    p.ic.onMessage = (message) => {
      note(message);
      if (message.method?.name === 'done') done.push(...partsIn('done', message.method.arg));
    };
    const values = Array.from({ length: 30 }, (_, value) => value);
    const bulk = p.enqueue(
      EnqueueMode.ticket,
      1n,
      values.map((value) => bundle(value)),
    );
    p.ic.runUntil(() => done.length === 3);
    const single = p.enqueue(EnqueueMode.ticket, 2n, [bundle(100)]);
    p.ic.runUntil(() => {
      const arrived = sent.filter(({ isUrgent }) => isUrgent).length === 2;
      if (arrived && underWay.length === 0) underWay.push(done.length, p.status(2).waiting);
      return done.some(({ id }) => id !== ticketOf(bulk.answer));
    });
    const [doneBefore, waiting] = underWay as [number, number];
    // It waits for the task under way, and for what this message still sends; not for those in line.
    expect(waiting).toBeGreaterThan(3);
    expect(done.length - doneBefore).toBeLessThanOrEqual(3);
    p.ic.runToIdle();
    expect(p.values(p.fetch(ticketOf(single.answer)))).toEqual([[doubled(100, 6)]]);
    const ofBulk = done.filter(({ id }) => id === ticketOf(bulk.answer));
    expect(ofBulk.map(({ taskIndex }) => taskIndex)).toEqual(values);
    for (const { id, isUrgent } of sent) expect(isUrgent).toBe(id === ticketOf(single.answer));
  });

  it('makes nobody wait for ever for callers with single tasks', () => {
    const p = pipeline([1, 4]);
    p.last.instructionsPerLook = 30_000_000n;
    p.ic.nsPerMessage = 0n;
    const done = launched(p, 'done');
    const values = Array.from({ length: 5 }, (_, value) => value);
    const tasks = values.map((value) => bundle(value));
    const bulk = p.enqueue(EnqueueMode.ticket, 1n, tasks);
    p.ic.runUntil(() => bulk.answer !== undefined);
    const id = ticketOf(bulk.answer);
    // More callers with a single task than the pipeline keeps up with: 20 wait at any time.
    let sent = 0;
    const ofBulk = (): SentPart[] => done.filter((task) => task.id === id);
    while (ofBulk().length < values.length) {
      expect(done.length).toBeLessThan(200);
      while (sent - (done.length - ofBulk().length) < 20) {
        p.enqueue(EnqueueMode.ticket, BigInt(100 + sent++), [bundle(1)]);
      }
      p.ic.executeOne();
    }
    expect(ofBulk().map(({ taskIndex }) => taskIndex)).toEqual(values);
  });

  it('serves two callers with much to do in turn, whoever came first', () => {
    const p = pipeline([1, 1]);
    const calls = [1n, 2n].map((key) =>
      Array.from({ length: 20 }, () => p.enqueue(EnqueueMode.ticket, key, [bundle(Number(key))])),
    );
    p.ic.runUntil(() => calls.flat().every(({ answer }) => answer !== undefined));
    const served = (): number[] =>
      calls.map(
        (ofCaller) =>
          ofCaller.filter(({ answer }) => p.fetch(ticketOf(answer)) !== undefined).length,
      );
    const start = served();
    let largest = 0;
    for (;;) {
      const [first, second] = served() as [number, number];
      if (first === 20 || second === 20) break;
      largest = Math.max(largest, Math.abs(first - start[0]! - (second - start[1]!)));
      p.ic.executeOne();
    }
    expect(largest).toBeLessThanOrEqual(2);
  });

  it('refuses what exceeds its limits and loses nothing of the rest', () => {
    const p = pipeline([1, 1], { queueLimit: 5, queueLimitPerCaller: 3 });
    const calls = [1n, 1n, 1n, 1n, 2n, 2n, 2n, 3n].map((key) =>
      p.enqueue(EnqueueMode.ticket, key, [bundle(Number(key))]),
    );
    for (let count = 0; count < calls.length; count++) p.ic.executeOne();
    const answers = calls.map(({ answer }) => 'reply' in answer!);
    expect(answers).toEqual([true, true, true, false, true, true, false, false]);
    expect(rejectionOf(calls[3]!.answer)).toMatch(/\[busy\] .* limit of 3 requests of one caller/);
    expect(rejectionOf(calls[6]!.answer)).toMatch(/\[busy\] .* limit of 5 requests not finished/);
    expect(parseCanisterError(rejectionOf(calls[7]!.answer))?.retryable).toBe(true);
    p.ic.runToIdle();
    for (const at of [0, 1, 2, 4, 5]) {
      const result = p.fetch(ticketOf(calls[at]!.answer));
      expect(p.values(result)).toEqual([[doubled(at < 3 ? 1 : 2, 2)]]);
    }
    const again = p.enqueue(EnqueueMode.wait, 3n, [bundle(7)]);
    p.ic.runToIdle();
    expect(p.values(resultOf(again.answer))).toEqual([[doubled(7, 2)]]);
  });

  it('launches what fills a message and keeps the number under way within bounds', () => {
    const stages = 3;
    const p = pipeline([1, 1, 1]);
    let underWay = 0;
    let most = 0;
    p.ic.onMessage = ({ to, method }) => {
      if (method?.name === 'run' && to === p.workers[1]!.id) {
        underWay += taskCount(method.arg);
        most = Math.max(most, underWay);
      }
      if (method?.name === 'done') underWay -= taskCount(method.arg);
    };
    p.enqueue(
      EnqueueMode.ticket,
      1n,
      Array.from({ length: 200 }, () => bundle(1)),
    );
    // A task takes most of a message; the third stage is held up, so that tasks pile up before it.
    for (const worker of p.workers) worker.instructionsPerLook = 60_000_000n;
    p.workers[2]!.instructionsPerLook = 90_000_000n;
    p.ic.runToIdle();
    expect(underWay).toBe(0);
    expect(most).toBeLessThanOrEqual(2 * stages + 4);
    expect(p.status(0)).toMatchObject({ waiting: 0, tasksDone: 200n });
  });

  it('has at most one wake outstanding for each call that waits', () => {
    const p = pipeline([1, 1]);
    for (let key = 1n; key <= 20n; key++) p.enqueue(EnqueueMode.wait, key, [bundle(1)]);
    let open = 0;
    p.ic.onMessage = () => {
      open = Math.max(open, p.head.openCalls.size);
    };
    p.ic.runToIdle();
    // 20 wakes, a step, and deliveries not yet answered.
    expect(open).toBeLessThanOrEqual(20 + 1 + 8);
    expect(p.head.openCalls.size).toBe(0);
  });

  it('answers calls beyond a number, and those that wait long, with "pending"', () => {
    const p = pipeline([1, 1]);
    const calls = Array.from({ length: 50 }, (_, key) =>
      p.enqueue(EnqueueMode.wait, BigInt(key), [bundle(key)]),
    );
    p.ic.runToIdle();
    const results = calls.map(({ answer }) => resultOf(answer));
    expect(results.filter(({ status }) => status === 'pending')).toHaveLength(34);
    results.forEach((result, key) => {
      const done = result.status === 'pending' ? p.fetch(result.requestId) : result;
      expect(p.values(done)).toEqual([[doubled(key, 2)]]);
    });

    p.head.refuseCallsTo = p.workers[1]!.id;
    p.ic.nsPerMessage = 1n;
    const stuck = p.enqueue(EnqueueMode.wait, 1n, [bundle(7)]);
    p.ic.runUntil(() => stuck.answer !== undefined);
    p.head.refuseCallsTo = undefined;
    const result = resultOf(stuck.answer);
    if (result.status !== 'pending') throw new Error(result.status);
    p.ic.runTimers();
    p.ic.runUntil(() => p.fetch(result.requestId) !== undefined);
    expect(p.values(p.fetch(result.requestId))).toEqual([[doubled(7, 2)]]);
  });

  it('pushes out the oldest results when it keeps too many', () => {
    const p = pipeline([1], { queueLimit: 2000, queueLimitPerCaller: 2000 });
    const tickets: bigint[] = [];
    for (let count = 0; count < 1010; count++) {
      const call = p.enqueue(EnqueueMode.ticket, 1n, [bundle(count)]);
      p.ic.runToIdle();
      tickets.push(ticketOf(call.answer));
    }
    expect(() => p.fetch(tickets[9]!)).toThrow(/unknown-request/);
    expect(p.values(p.fetch(tickets[10]!))).toEqual([[doubled(10, 1)]]);
    expect(p.values(p.fetch(tickets[1009]!))).toEqual([[doubled(1009, 1)]]);
  });
});

interface Sent {
  mode: number;
  key: bigint;
  values: number[];
  release: boolean;
}

describe('requests of many callers, in any order of messages', () => {
  it('each get their own results, in order', () => {
    const request: fc.Arbitrary<Sent> = fc.record({
      mode: fc.constantFrom(EnqueueMode.wait, EnqueueMode.ticket),
      key: fc.bigInt(0n, 3n),
      values: fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 6 }),
      release: fc.boolean(),
    });
    const property = fc.property(
      fc.array(request, { minLength: 1, maxLength: 12 }),
      fc.constantFrom<number[]>([2], [1, 1], [1, 3, 1]),
      fc.infiniteStream(fc.nat(7)),
      (requests, layers, choices) => {
        const p = pipeline(layers);
        const slow = p.workers[p.workers.length - 1]!;
        slow.instructionsPerLook = 60_000_000n;
        p.ic.pick = () => choices.next().value as number;
        const calls = requests.map(({ mode, key, values }) => {
          const call = p.enqueue(
            mode,
            key,
            values.map((value) => bundle(value)),
          );
          for (let count = choices.next().value as number; count > 0; count--) p.ic.executeOne();
          return call;
        });
        p.ic.runToIdle();
        requests.forEach(({ mode, values, release }, at) => {
          const { answer } = calls[at]!;
          const result = mode === EnqueueMode.wait ? resultOf(answer) : p.fetch(ticketOf(answer));
          expect(p.values(result).flat()).toEqual(values.map((value) => doubled(value, p.layers)));
          if (mode === EnqueueMode.ticket && release) p.release(ticketOf(answer));
        });
        expect(p.status(0).waiting).toBe(0);
        for (const worker of p.workers) expect(worker.traps).toBe(0);
      },
    );
    fc.assert(property, { numRuns: 60 });
  });
});
