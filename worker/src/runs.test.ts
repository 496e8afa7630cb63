import {
  EnqueueMode,
  encodeEnqueue,
  encodeFailure,
  parseCanisterError,
  type WorkerConfig,
} from '@canopy/protocol';
import { describe, expect, it } from 'vitest';
import { partsIn } from './testing/lists.js';
import { workerModule } from './testing/module.js';
import {
  bundle,
  callerOf,
  coordinator,
  doubled,
  epoch,
  Pipeline,
  rejectionOf,
  ticketOf,
} from './testing/pipeline.js';
import { TestIc } from './testing/test-ic.js';

const pipeline = (layers: number[], options: Partial<WorkerConfig> = {}): Pipeline =>
  new Pipeline(new TestIc(workerModule), layers, options).deploy();

/** Sends a request and gives its ticket. */
function submit(p: Pipeline, caller: bigint, ...values: number[]): bigint {
  const call = p.enqueue(
    EnqueueMode.ticket,
    caller,
    values.map((value) => bundle(value)),
  );
  p.ic.runUntil(() => call.answer !== undefined);
  return ticketOf(call.answer);
}
const heaps = (p: Pipeline): number[] => p.workers.map((_, stage) => p.status(stage).heapUsedBytes);
const minute = 61_000_000_000n;

describe('news', () => {
  it.each([[[40]], [[1, 40]], [[40, 1, 1]]])(
    'of a task that takes an hour keeps it alive: layers %j',
    (layers) => {
      const p = pipeline(layers);
      for (const worker of p.workers) worker.instructionsPerLook = 20_000_000n;
      const id = submit(p, 1n, -1);
      const start = p.ic.timeNs;
      p.ic.nsPerMessage = minute;
      p.ic.runUntil(() => p.fetch(id) !== undefined);
      expect(p.ic.timeNs - start).toBeGreaterThan(20n * minute);
      expect(p.values(p.fetch(id))).toEqual([[doubled(-1, p.layers)]]);
    },
  );

  it('that does not come is noticed in about two minutes', () => {
    const p = pipeline([1, 8]);
    p.workers[1]!.instructionsPerLook = 60_000_000n;
    const id = submit(p, 1n, 1);
    p.ic.runUntil(() => p.status(1).waiting > 0);
    p.ic.reinstall(p.workers[1]!);
    const start = p.ic.timeNs;
    p.ic.runUntil(() => p.fetch(id) !== undefined);
    expect(p.fetch(id)).toMatchObject({
      status: 'failed',
      text: expect.stringMatching(/no news/) as unknown,
    });
    expect(Number(p.ic.timeNs - start) / 1e9).toBeLessThan(180);
    expect(p.status(0).waiting).toBe(0);
  });

  it('is not missed where time stands still for all and then jumps', () => {
    const p = pipeline([1, 8]);
    p.workers[1]!.instructionsPerLook = 60_000_000n;
    const id = submit(p, 1n, 1);
    p.ic.runUntil(() => p.status(1).waiting > 0);
    p.ic.timeNs += 3600_000_000_000n;
    p.ic.runUntil(() => p.fetch(id) !== undefined);
    expect(p.values(p.fetch(id))).toEqual([[doubled(1, 9)]]);
  });
});

describe('a deadline', () => {
  it.each(['named by the request', 'configured'])('%s ends what is not finished', (how) => {
    const p = pipeline([1, 1], { deadlineSeconds: how === 'configured' ? 90 : 100_000 });
    const unused = heaps(p);
    p.workers[1]!.status = 'stopped';
    const deadlineSeconds = how === 'configured' ? 0 : 90;
    const tasks = [bundle(1), bundle(2)];
    const run = { epoch, mode: EnqueueMode.ticket, deadlineSeconds, owner: callerOf(1n), tasks };
    const call = p.ic.call(coordinator, p.head, 'enqueue', encodeEnqueue(run));
    p.ic.runUntil(() => call.answer !== undefined);
    const id = ticketOf(call.answer);
    const start = p.ic.timeNs;
    p.ic.runUntil(() => p.fetch(id) !== undefined);
    expect(p.fetch(id)).toMatchObject({
      status: 'failed',
      text: expect.stringMatching(/\[deadline\] .* 0 of its 2/) as unknown,
    });
    expect(Number(p.ic.timeNs - start) / 1e9).toBeLessThan(125);
    p.workers[1]!.status = 'running';
    expect(p.values(p.fetch(finish(p, submit(p, 1n, 4))))).toEqual([[doubled(4, 2)]]);
    p.release(id);
    p.ic.runToIdle();
    expect(p.status(0).waiting).toBe(0);
    expect(heaps(p)[1]).toBe(unused[1]);
  });
});

/** Runs until a request is finished. */
function finish(p: Pipeline, id: bigint): bigint {
  p.ic.runUntil(() => p.fetch(id) !== undefined);
  return id;
}

describe('a request that is released', () => {
  it('while the head works on it keeps its input until then, through an upgrade too', () => {
    const p = pipeline([40]);
    const unused = heaps(p);
    p.head.instructionsPerLook = 20_000_000n;
    const id = submit(p, 1n, 1);
    for (let count = 0; count < 12; count++) p.ic.executeOne();
    p.expectReply(p.release(id));
    expect(() => p.fetch(id)).toThrow(/unknown-request/);
    p.ic.upgrade(p.head);
    p.ic.runToIdle();
    expect(p.head.traps).toBe(0);
    expect(p.status(0).waiting).toBe(0);
    expect(heaps(p)).toEqual(unused);
  });

  it.each([false, true])('is not begun by later stages any more; results stay: %s', (stay) => {
    const p = pipeline([1, 10, 1], { resultsStay: stay });
    p.workers[1]!.instructionsPerLook = 60_000_000n;
    const id = submit(p, 1n, ...Array.from({ length: 8 }, (_, value) => value));
    p.ic.runUntil(() => p.status(1).waiting >= 6);
    p.release(id);
    const before = [1, 2].map((stage) => p.status(stage).tasksDone);
    p.ic.runToIdle();
    const after = [1, 2].map((stage) => p.status(stage).tasksDone);
    // The one that was begun is at most finished where it was.
    expect(Number(after[0]! - before[0]!)).toBeLessThanOrEqual(1);
    expect(after[1]).toBe(before[1]);
    finish(p, submit(p, 2n, 5));
    p.release(submit(p, 2n, 5) - 1n);
    p.ic.runToIdle();
    expect(p.status(0).waiting).toBe(0);
  });
});

describe.each([false, true])('results that are kept; they stay: %s', (resultsStay) => {
  it('of one caller are not pushed out by the many of another', () => {
    const options = { resultsStay, queueLimit: 1000, queueLimitPerCaller: 1000 };
    const p = pipeline(resultsStay ? [1, 1] : [1], options);
    const mine = finish(p, submit(p, 1n, 1));
    const theirs = Array.from({ length: 1010 }, () => {
      const id = submit(p, 2n, 2);
      p.ic.runToIdle();
      return id;
    });
    expect(p.values(p.fetch(mine))).toEqual([[doubled(1, p.layers)]]);
    expect(() => p.fetch(theirs[0]!)).toThrow(/unknown-request/);
    expect(p.fetch(theirs.at(-1))).toBeDefined();
  });
});

describe('a stage that is stopped, upgraded and started again', () => {
  it.each([
    { resultsStay: false, rowsPerTask: 0 },
    { resultsStay: true, rowsPerTask: 0 },
    { resultsStay: false, rowsPerTask: 4 },
  ])('fails no request, one stage after the other: %j', (options) => {
    const p = pipeline([1, 2, 1], options);
    for (const worker of p.workers) worker.instructionsPerLook = 30_000_000n;
    const ids: bigint[] = [];
    for (let stage = 0; stage < 3; stage++) {
      for (const value of [1, 2, 3, 4]) ids.push(submit(p, BigInt(value), value, value + 1));
      p.workers[stage]!.status = 'stopped';
      for (let count = 0; count < 60; count++) if (!p.ic.executeOne()) p.ic.runTimers();
      p.ic.upgrade(p.workers[stage]!);
      p.workers[stage]!.status = 'running';
    }
    for (const [at, id] of ids.entries()) {
      const value = (at % 4) + 1;
      const expected = [value, value + 1].map((one) => doubled(one, 4));
      expect(p.values(p.fetch(finish(p, id))).flat()).toEqual(expected);
    }
    p.ic.runToIdle();
    expect(p.status(0).waiting).toBe(0);
  });

  it('for longer than two minutes fails what waits for it, with its name', () => {
    const p = pipeline([1, 1]);
    p.last.status = 'stopped';
    const id = submit(p, 1n, 1);
    const start = p.ic.timeNs;
    finish(p, id);
    expect(p.fetch(id)).toMatchObject({
      status: 'failed',
      text: expect.stringMatching(/stage 1 did not take .*stopped/) as unknown,
    });
    expect(Number(p.ic.timeNs - start) / 1e9).toBeGreaterThan(100);
    expect(Number(p.ic.timeNs - start) / 1e9).toBeLessThan(150);
  });
});

describe('a worker whose snapshot is loaded', () => {
  // The timer of the snapshot may be long over, or not be there at all.
  it.each([
    { stage: 0, timer: true },
    { stage: 0, timer: false },
    { stage: 1, timer: true },
    { stage: 1, timer: false },
  ])('works again, and ends what was under way: %j', ({ stage, timer }) => {
    for (let at = 0; at < 30; at += 3) {
      const p = pipeline([2, 2]);
      for (const worker of p.workers) worker.instructionsPerLook = 40_000_000n;
      const ids = [1, 2, 3].map((value) => submit(p, BigInt(value), value, value + 1, value + 2));
      const waiting = p.enqueue(EnqueueMode.wait, 9n, [bundle(9)]);
      for (let count = 0; count < at; count++) p.ic.executeOne();
      const snapshot = p.workers[stage]!.snapshot();
      p.ic.runToIdle();
      for (const id of ids) finish(p, id);
      p.ic.timeNs += 100_000_000_000n;
      p.workers[stage]!.load(timer ? snapshot : { ...snapshot, timer: 0n });
      expect(waiting.answer).toBeDefined();
      const after = submit(p, 7n, 7);
      expect(p.values(p.fetch(finish(p, after)))).toEqual([[doubled(7, 4)]]);
      if (stage !== 0) continue;
      // What the snapshot knew is finished, from its own input, or told to be lost.
      for (const id of ids) {
        const known = ((): boolean => {
          try {
            finish(p, id);
            return true;
          } catch (error) {
            expect(String(error)).toMatch(/unknown-request/);
            return false;
          }
        })();
        if (known) p.release(id);
      }
      p.ic.runUntil(() => p.status(0).waiting === 0);
    }
  });
});

describe('rows that are put together', () => {
  const options = { rowsPerTask: 8 };

  it('of several callers give each its own results, and take fewer tasks', () => {
    for (const resultsStay of [false, true]) {
      for (const layers of [[2], [1, 1], [1, 2, 1]]) {
        const p = pipeline(layers, { ...options, resultsStay });
        const unused = heaps(p);
        const values = Array.from({ length: 40 }, (_, value) => value);
        const calls = values.map((value) =>
          p.enqueue(EnqueueMode.ticket, BigInt(value % 13), [bundle(value)]),
        );
        p.ic.runUntil(() => calls.every(({ answer }) => answer !== undefined));
        p.ic.runToIdle();
        for (const [value, { answer }] of calls.entries()) {
          const result = p.fetch(ticketOf(answer));
          expect(p.values(result)).toEqual([[doubled(value, p.layers)]]);
          if (result?.status !== 'done') throw new Error(result?.status);
          expect(result.tasks[0]!.traces).toHaveLength(layers.length);
          p.expectReply(p.release(ticketOf(answer)));
        }
        expect(Number(p.status(0).tasksDone)).toBeLessThan(40);
        const probe = finish(p, submit(p, 1n, 1));
        p.expectReply(p.release(probe));
        p.ic.runToIdle();
        expect(heaps(p)).toEqual(unused);
        for (const worker of p.workers) expect(worker.traps).toBe(0);
      }
    }
  });

  it('add up to what the system counts of their tasks', () => {
    const p = pipeline([1, 1], options);
    const ids = [1, 2, 3, 4, 5].map((value) =>
      p.enqueue(EnqueueMode.ticket, BigInt(value), [bundle(value, value)]),
    );
    p.ic.runToIdle();
    const results = ids.map(({ answer }) => p.fetch(ticketOf(answer)));
    for (const stage of [0, 1]) {
      const told = results.reduce((sum, result) => {
        if (result?.status !== 'done') throw new Error(result?.status);
        return sum + result.tasks[0]!.traces[stage]!.instructions;
      }, 0n);
      const { instructions, tasksDone } = p.status(stage);
      expect(instructions - told).toBeGreaterThanOrEqual(0n);
      expect(instructions - told).toBeLessThan(8n * tasksDone);
    }
  });

  it('go alone where one of them fails, so that only that request fails', () => {
    const p = pipeline([1, 1], { ...options, rowsPerTask: 32 });
    p.ic.nsPerMessage = 0n;
    const calls = Array.from({ length: 32 }, (_, value) =>
      p.enqueue(EnqueueMode.ticket, BigInt(value), [bundle(value)]),
    );
    for (let count = 0; count < calls.length; count++) p.ic.executeOne();
    const ids = calls.map(({ answer }) => ticketOf(answer));
    p.ic.onMessage = ({ to, method }) => {
      if (to !== p.last.id) return;
      const parts = method?.name === 'run' ? partsIn('run', method.arg) : [];
      const isBad = parts.some(({ id }) => id === ids[12]);
      p.last.instructionLimit = isBad ? 0n : 1n << 60n;
    };
    p.ic.runToIdle();
    for (const [value, id] of ids.entries()) {
      const result = p.fetch(finish(p, id));
      if (value === 12) expect(result?.status).toBe('failed');
      else expect(p.values(result)).toEqual([[doubled(value, 2)]]);
    }
    expect(p.status(0).waiting).toBe(0);
  });

  it('are never those of different shapes, nor more than a task holds', () => {
    const p = pipeline([1, 1], { ...options, rowsPerTask: 4 });
    const rows = [3, 2, 1, 4, 5, 1, 1];
    const calls = rows.map((count, at) =>
      p.enqueue(EnqueueMode.ticket, BigInt(at), [bundle(...Array<number>(count).fill(at))]),
    );
    p.ic.runToIdle();
    for (const [at, { answer }] of calls.entries()) {
      const expected = Array<number>(rows[at]!).fill(doubled(at, 2));
      expect(p.values(p.fetch(ticketOf(answer)))).toEqual([expected]);
    }
  });

  it('of a request that is released leave those of the others alone', () => {
    for (let at = 0; at < 40; at += 2) {
      const p = pipeline([2, 2], options);
      for (const worker of p.workers) worker.instructionsPerLook = 40_000_000n;
      const unused = heaps(p);
      const calls = [1, 2, 3, 4, 5].map((value) =>
        p.enqueue(EnqueueMode.ticket, BigInt(value), [bundle(value)]),
      );
      p.ic.runUntil(() => calls.every(({ answer }) => answer !== undefined));
      for (let count = 0; count < at; count++) p.ic.executeOne();
      p.release(ticketOf(calls[2]!.answer));
      p.ic.runToIdle();
      for (const [index, { answer }] of calls.entries()) {
        if (index === 2) continue;
        const id = finish(p, ticketOf(answer));
        expect(p.values(p.fetch(id))).toEqual([[doubled(index + 1, 4)]]);
        p.expectReply(p.release(id));
      }
      p.ic.runToIdle();
      expect(heaps(p)).toEqual(unused);
    }
  });
});

describe('a request one of whose tasks fails while others are under way', () => {
  it('ends once, and what comes after it is paced as ever', () => {
    const p = pipeline([1, 4]);
    const unused = heaps(p);
    p.last.instructionsPerLook = 40_000_000n;
    for (let times = 0; times < 8; times++) {
      let taskId: bigint | undefined;
      p.ic.onMessage = ({ method }) => {
        if (method?.name === 'run') taskId ??= partsIn('run', method.arg)[0]?.taskId;
      };
      const id = submit(p, 1n, 1, 2, 3, 4, 5, 6);
      p.ic.runUntil(() => p.status(1).waiting > 2);
      const failure = encodeFailure(epoch, { taskId: taskId!, stage: 1, text: '[internal] no' });
      p.ic.call(p.last.id, p.head, 'fail', failure);
      finish(p, id);
      expect(p.fetch(id)).toMatchObject({ status: 'failed', text: '[internal] no' });
      p.expectReply(p.release(id));
    }
    const after = finish(p, submit(p, 1n, 1, 2, 3));
    expect(p.values(p.fetch(after)).flat()).toEqual([1, 2, 3].map((one) => doubled(one, 5)));
    p.expectReply(p.release(after));
    p.ic.runToIdle();
    expect(heaps(p)).toEqual(unused);
    expect(p.status(0).waiting).toBe(0);
  });
});

describe('a caller', () => {
  it('is a principal: those that differ in the last byte only have limits of their own', () => {
    const p = pipeline([1, 1], { queueLimitPerCaller: 2 });
    const owners = [1, 2].map((last) =>
      Uint8Array.from({ length: 29 }, (_, at) => (at < 28 ? 7 : last)),
    );
    const calls = [0, 0, 0, 1, 1, 1].map((which) => {
      const run = { epoch, mode: EnqueueMode.ticket, owner: owners[which]!, tasks: [bundle(1)] };
      return p.ic.call(coordinator, p.head, 'enqueue', encodeEnqueue(run));
    });
    for (let count = 0; count < calls.length; count++) p.ic.executeOne();
    const answered = calls.map(({ answer }) => 'reply' in answer!);
    expect(answered).toEqual([true, true, false, true, true, false]);
    expect(parseCanisterError(rejectionOf(calls[2]!.answer))?.code).toBe('busy');
  });
});
