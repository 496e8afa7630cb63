import {
  EnqueueMode,
  decodeBundle,
  decodeResult,
  encodeFailure,
  encodeFetch,
  encodeRelease,
  parseCanisterError,
  type Result,
  type WorkerConfig,
} from '@canopy/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Answer } from './testing/canister.js';
import { workerModule } from './testing/module.js';
import {
  bundle,
  callerOf,
  bundleOf,
  coordinator,
  doubled,
  epoch,
  doublingShard,
  Pipeline,
  rejectionOf,
  resultOf,
  ticketOf,
} from './testing/pipeline.js';
import { partsIn, runList } from './testing/lists.js';
import { TestIc } from './testing/test-ic.js';

const pipeline = (layers: number[], options: Partial<WorkerConfig> = {}): Pipeline =>
  Pipeline.deployed(layers, { resultsStay: true, ...options });

/** A ticket for a request of these values, one a task. */
function submit(p: Pipeline, ...values: number[]): bigint {
  const tasks = values.map((value) => bundle(value));
  const call = p.enqueue(EnqueueMode.ticket, 1n, tasks);
  p.ic.runUntil(() => call.answer !== undefined);
  return ticketOf(call.answer);
}
const codeOf = (answer: Answer): string | undefined =>
  parseCanisterError(rejectionOf(answer))?.code;
const atLast = (p: Pipeline, id: bigint): Result => decodeResult(p.fetchPart(p.last, id).part);
const nothing = { status: 'pending', tasksDone: 0, taskCount: 0 };
const heaps = (p: Pipeline): number[] => p.workers.map((_, stage) => p.status(stage).heapUsedBytes);

describe('results that stay at the last stage', () => {
  for (const layers of [
    [1, 1],
    [1, 2, 1],
  ]) {
    it(`of ${layers.length} are fetched there, whole and in parts, until they are released`, () => {
      const p = pipeline(layers);
      const unused = heaps(p);
      const id = submit(p, 5, 6, 7);
      p.ic.runToIdle();
      for (const part of [1_900_000, 7, 1]) {
        const result = p.fetch(id, part);
        expect(p.values(result).flat()).toEqual([5, 6, 7].map((value) => doubled(value, p.layers)));
        if (result?.status !== 'done') throw new Error('not done');
        for (const { traces } of result.tasks) {
          expect(traces).toHaveLength(layers.length);
          for (const trace of traces) expect(trace).toMatchObject({ messages: 1 });
          expect(traces.at(-1).bytesSent).toBe(36);
        }
      }
      // The head has forgotten it.
      expect(() => p.fetchPart(p.head, id)).toThrow(/unknown-request/);
      expect(codeOf(p.releaseAt(p.head, id))).toBe('unknown-request');
      p.expectReply(p.releaseAt(p.last, id));
      expect(atLast(p, id)).toMatchObject(nothing);
      expect(codeOf(p.releaseAt(p.last, id))).toBe('unknown-request');
      expect(heaps(p)).toEqual(unused);
    });
  }

  it('are not waited for: the call is answered with "pending" at once', () => {
    const p = pipeline([1, 1]);
    const call = p.enqueue(EnqueueMode.wait, 1n, [bundle(1), bundle(2, 3)]);
    p.ic.executeOne();
    expect(resultOf(call.answer)).toMatchObject({ status: 'pending', tasksDone: 0, taskCount: 2 });
    p.ic.runToIdle();
    expect(p.values(p.resultOf(call.answer))).toEqual([[7], [11, 15]]);
    expect(p.status(0).waiting).toBe(0);
  });

  it('may be longer than a message between canisters', () => {
    const p = pipeline([1, 1]);
    const values = Array.from({ length: 65_000 }, (_, index) => index);
    const call = p.enqueue(EnqueueMode.wait, 1n, [bundleOf(values), bundleOf(values)]);
    p.ic.runToIdle();
    for (const column of p.values(p.resultOf(call.answer))) {
      expect(column).toEqual(values.map((value) => doubled(value, 2)));
    }
  });

  it('are pending until all tasks are done: the last stage says which it has', () => {
    const p = pipeline([1, 1]);
    for (const worker of p.workers) worker.instructionsPerLook = 40_000_000n;
    const id = submit(p, 1, 2, 3);
    const seen = new Set<string>();
    p.ic.runUntil(() => {
      const last = atLast(p, id);
      if (last.status === 'pending') seen.add(`${last.tasksDone} of ${last.taskCount}`);
      return p.fetch(id) !== undefined;
    });
    expect([...seen]).toEqual(['0 of 0', '1 of 3', '2 of 3']);
    expect(p.values(p.fetch(id)).flat()).toEqual([7, 11, 15]);
  });

  it('do not exist where the only stage is the head', () => {
    const p = pipeline([2]);
    const call = p.enqueue(EnqueueMode.wait, 1n, [bundle(1)]);
    p.ic.runToIdle();
    expect(p.values(resultOf(call.answer))).toEqual([[7]]);
  });

  it('hold inputs that pass through', () => {
    const p = new Pipeline(new TestIc(workerModule), [1, 1], { resultsStay: true });
    p.shards[1] = doublingShard(1, true);
    p.deploy();
    const ids = [3, 4].map((value) => submit(p, value));
    p.ic.runToIdle();
    const result = p.fetch(ids[0]!);
    if (result?.status !== 'done') throw new Error('not done');
    const tensors = decodeBundle(result.tasks[0]!.bundle);
    expect(tensors.map(({ data }) => new Float32Array(new Uint8Array(data).buffer)[0])).toEqual([
      15, 7,
    ]);
  });

  it('are put together by task, whatever the order, and once each', () => {
    const p = pipeline([1, 1]);
    // The head would say that it knows nothing of the request.
    p.head.status = 'stopped';
    const task = { requestId: 77n, index: 0, count: 2, bundle: bundle(9) };
    const second = { ...task, index: 1, bundle: bundle(4, 5) };
    for (const tasks of [[second], [second, task], [task]]) {
      p.ic.call(p.head.id, p.last, 'run', runList(tasks, { owner: callerOf(1n) }));
    }
    p.ic.runToIdle();
    const result = decodeResult(p.fetchPart(p.last, 77n).part);
    if (result.status !== 'done') throw new Error(result.status);
    expect(p.values(result)).toEqual([[19], [9, 11]]);
  });

  it('are given and taken by the coordinator only', () => {
    const p = pipeline([1, 1]);
    const id = submit(p, 1);
    p.ic.runToIdle();
    const arg = encodeFetch(epoch, id, 0, 1_000_000);
    for (const stranger of ['aabb', p.head.id]) {
      expect(codeOf(p.last.query('fetch', stranger, arg))).toBe('not-authorised');
      expect(codeOf(p.ic.update(stranger, p.last, 'release', encodeRelease(epoch, [id])))).toBe(
        'not-authorised',
      );
    }
    const middle = pipeline([1, 1, 1]).workers[1]!;
    expect(rejectionOf(middle.query('fetch', coordinator, arg))).toMatch(/first stage/);
    expect(p.values(p.fetch(id))).toEqual([[7]]);
  });
});

describe('the last stage forgets', () => {
  /** Runs until the last stage has some, but not all, of a request. */
  function withParts(p: Pipeline, id: bigint): void {
    p.ic.runUntil(() => {
      const last = atLast(p, id);
      return last.status === 'pending' && last.tasksDone > 0;
    });
  }

  it('what was released before its end, at once and what comes later', () => {
    for (let messages = 0; messages < 40; messages++) {
      const p = pipeline([1, 1]);
      for (const worker of p.workers) worker.instructionsPerLook = 40_000_000n;
      const unused = heaps(p);
      const id = submit(p, 1, 2, 3, 4);
      for (let count = 0; count < messages; count++) p.ic.executeOne();
      p.release(id);
      p.ic.runToIdle();
      // What was told to the head before the release, and came after it, is named in the next answer.
      const probe = submit(p, 5);
      p.ic.runToIdle();
      expect(p.values(p.fetch(probe))).toEqual([[23]]);
      p.expectReply(p.release(probe));
      expect(atLast(p, id)).toMatchObject(nothing);
      expect(heaps(p)).toEqual(unused);
      expect(p.status(0).waiting).toBe(0);
    }
  });

  it('the parts of a request that failed, those before and those after', () => {
    for (const mode of [EnqueueMode.wait, EnqueueMode.ticket]) {
      const p = pipeline([1, 1]);
      const unused = heaps(p);
      for (const worker of p.workers) worker.instructionsPerLook = 40_000_000n;
      const probes = [submit(p, 1), submit(p, 1)];
      const call = p.enqueue(
        mode,
        1n,
        [1, 2, 3, 4].map((value) => bundle(value)),
      );
      let id: bigint | undefined;
      let taskId: bigint | undefined;
      p.ic.onMessage = ({ method }) => {
        if (method?.name !== 'run') return;
        const parts = partsIn('run', method.arg, true).filter((part) => !probes.includes(part.id));
        id ??= parts[0]?.id;
        taskId ??= parts.find(({ taskIndex }) => taskIndex === 2)?.taskId;
      };
      p.ic.runUntil(() => id !== undefined);
      withParts(p, id!);
      p.ic.runUntil(() => taskId !== undefined);
      const failure = encodeFailure(epoch, {
        taskId: taskId!,
        stage: 1,
        text: '[internal] so it is',
      });
      p.ic.call(p.last.id, p.head, 'fail', failure);
      p.ic.runToIdle();
      if (mode === EnqueueMode.wait) expect(resultOf(call.answer).requestId).toBe(id);
      expect(p.fetch(id!)).toMatchObject({
        status: 'failed',
        stage: 1,
        text: '[internal] so it is',
      });
      p.expectReply(p.releaseAt(p.head, id!));
      for (const probe of probes) p.expectReply(p.release(probe));
      const probe = submit(p, 5);
      p.ic.runToIdle();
      p.expectReply(p.release(probe));
      p.ic.runToIdle();
      expect(heaps(p)).toEqual(unused);
    }
  });

  it('parts by a release, which it then calls unknown', () => {
    const p = pipeline([1, 1]);
    for (const worker of p.workers) worker.instructionsPerLook = 40_000_000n;
    const id = submit(p, 1, 2, 3);
    withParts(p, id);
    p.workers[0]!.status = 'stopped';
    expect(codeOf(p.releaseAt(p.last, id))).toBe('unknown-request');
    expect(atLast(p, id)).toMatchObject(nothing);
  });

  it('the oldest results when it keeps too many, and their requests are unknown then', () => {
    const p = pipeline([1, 1], { queueLimit: 2000, queueLimitPerCaller: 2000 });
    const tickets = Array.from({ length: 1010 }, (_, value) => {
      const id = submit(p, value);
      p.ic.runToIdle();
      return id;
    });
    expect(atLast(p, tickets[9]!)).toMatchObject(nothing);
    expect(() => p.fetch(tickets[9]!)).toThrow(/unknown-request/);
    expect(p.values(p.fetch(tickets[10]!))).toEqual([[doubled(10, 2)]]);
    expect(p.values(p.fetch(tickets[1009]!))).toEqual([[doubled(1009, 2)]]);
  });

  it('the oldest when they take too many bytes, complete or not', () => {
    const p = pipeline([1, 1]);
    const values = Array.from({ length: 400_000 }, (_, index) => index);
    const large = bundleOf(values);
    p.head.status = 'stopped';
    const part = { requestId: 77n, count: 2, bundle: bundle(9) };
    p.ic.call(p.head.id, p.last, 'run', runList([part], { owner: callerOf(1n) }));
    p.ic.runToIdle();
    p.head.status = 'running';
    expect(atLast(p, 77n)).toMatchObject({ tasksDone: 1, taskCount: 2 });
    for (const worker of p.workers) worker.mayTrap = false;
    const tickets = Array.from({ length: 42 }, () => {
      const call = p.enqueue(EnqueueMode.ticket, 1n, [large]);
      p.ic.runToIdle();
      return ticketOf(call.answer);
    });
    expect(atLast(p, 77n)).toMatchObject(nothing);
    // 6.4 MB each: 41 of them are less than 256 MiB, 42 are more.
    expect(atLast(p, tickets[0]!)).toMatchObject(nothing);
    for (const id of tickets.slice(1)) expect(p.fetchPart(p.last, id).finished).toBe(true);
    expect(p.status(1).heapUsedBytes).toBeLessThan(280_000_000);
  });
});

describe('requests of all kinds, in any order of messages', () => {
  it('each get their own results, and leave nothing behind', () => {
    const request = fc.record({
      mode: fc.constantFrom(EnqueueMode.wait, EnqueueMode.ticket),
      values: fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 6 }),
      early: fc.boolean(),
    });
    const property = fc.property(
      fc.array(request, { minLength: 1, maxLength: 12 }),
      fc.constantFrom<number[]>([1, 1], [1, 3, 1]),
      fc.infiniteStream(fc.nat(7)),
      (requests, layers, choices) => {
        const p = pipeline(layers);
        const unused = heaps(p);
        p.last.instructionsPerLook = 60_000_000n;
        p.ic.pick = () => choices.next().value as number;
        const calls = requests.map(({ mode, values }) => {
          const call = p.enqueue(
            mode,
            1n,
            values.map((value) => bundle(value)),
          );
          for (let count = choices.next().value as number; count > 0; count--) p.ic.executeOne();
          return call;
        });
        const released = requests.map(({ mode, early }, at) => {
          const answer = calls[at]!.answer;
          if (mode === EnqueueMode.wait || !early || answer === undefined) return false;
          p.release(ticketOf(answer));
          return true;
        });
        p.ic.runToIdle();
        requests.forEach(({ mode, values }, at) => {
          if (released[at]) return;
          const { answer } = calls[at]!;
          const id = mode === EnqueueMode.wait ? resultOf(answer).requestId : ticketOf(answer);
          const expected = values.map((value) => doubled(value, p.layers));
          expect(p.values(p.fetch(id)).flat()).toEqual(expected);
          p.expectReply(p.release(id));
        });
        const probe = submit(p, 5);
        p.ic.runToIdle();
        p.expectReply(p.release(probe));
        p.ic.runToIdle();
        expect(heaps(p)).toEqual(unused);
        for (const worker of p.workers) expect(worker.traps).toBe(0);
      },
    );
    fc.assert(property, { numRuns: 60 });
  });
});
