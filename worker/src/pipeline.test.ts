import { EnqueueMode, encodeBundle, parseCanisterError } from '@canopy/protocol';
import { describe, expect, it } from 'vitest';
import { workerModule } from './testing/module.js';
import {
  bundle,
  bundleOf,
  coordinator,
  doubled,
  doublingShard,
  Pipeline,
  rejectionOf,
  resultOf,
  rows,
  ticketOf,
  width,
} from './testing/pipeline.js';
import { doneList, partsIn, runList } from './testing/lists.js';
import { TestIc } from './testing/test-ic.js';

const pipeline = (...layers: number[]): Pipeline => Pipeline.deployed(layers);
const failureOf = (p: Pipeline, call: { answer: unknown }): { stage: number; text: string } => {
  p.ic.runUntil(() => call.answer !== undefined);
  const result = p.resultOf(call.answer as never);
  if (result?.status !== 'failed') throw new Error(`is ${result?.status}`);
  return result;
};

describe('a pipeline', () => {
  for (const layers of [[2], [1, 1], [1, 2, 1, 1]]) {
    it(`of ${layers.length} stages answers a call that waits`, () => {
      const p = pipeline(...layers);
      const call = p.enqueue(EnqueueMode.wait, 1n, [bundle(1, 2), bundle(3)]);
      p.ic.runToIdle();
      const result = resultOf(call.answer);
      expect(p.values(result)).toEqual([
        [doubled(1, p.layers), doubled(2, p.layers)],
        [doubled(3, p.layers)],
      ]);
      if (result.status !== 'done') throw new Error('not done');
      for (const task of result.tasks) {
        expect(task.traces).toHaveLength(layers.length);
        for (const trace of task.traces) expect(trace.messages).toBe(1);
      }
      expect(p.status(0).waiting).toBe(0);
    });

    it(`of ${layers.length} stages gives a ticket and keeps the result until it is released`, () => {
      const p = pipeline(...layers);
      const call = p.enqueue(EnqueueMode.ticket, 1n, [bundle(5), bundle(6), bundle(7)]);
      p.ic.runUntil(() => call.answer !== undefined);
      const ticket = ticketOf(call.answer);
      expect(p.fetch(ticket)).toBeUndefined();
      p.ic.runToIdle();
      for (const part of [1_900_000, 7, 1]) {
        expect(p.values(p.fetch(ticket, part)).flat()).toEqual(
          [5, 6, 7].map((value) => doubled(value, p.layers)),
        );
      }
      p.expectReply(p.release(ticket));
      expect(parseCanisterError(rejectionOf(p.release(ticket)))?.code).toBe('unknown-request');
      expect(() => p.fetch(ticket)).toThrow(/unknown-request/);
    });
  }

  it('names its outputs at the last stage only and takes inputs by name', () => {
    const p = pipeline(1, 1);
    const call = p.enqueue(EnqueueMode.wait, 1n, [encodeBundle([{ ...rows([1]), name: 'x' }])]);
    p.ic.runToIdle();
    expect(p.values(resultOf(call.answer))).toEqual([[doubled(1, 2)]]);
  });

  it('hands inputs on that later stages need', () => {
    for (const passing of [0, 1]) {
      const p = new Pipeline(new TestIc(workerModule), [1, 1]);
      p.shards[passing] = doublingShard(1, true);
      if (passing === 0) {
        // The second stage takes one input only: it must say so.
        p.deploy();
        const failure = failureOf(p, p.enqueue(EnqueueMode.wait, 1n, [bundle(1)]));
        expect(failure.text).toMatch(/takes 1 inputs, given 2/);
        continue;
      }
      p.deploy();
      const call = p.enqueue(EnqueueMode.wait, 1n, [bundle(1)]);
      p.ic.runToIdle();
      expect(p.values(resultOf(call.answer))).toEqual([[doubled(1, 2)]]);
    }
  });

  it('continues a task that takes more than a message, and counts its messages', () => {
    const p = pipeline(6, 5);
    for (const worker of p.workers) worker.instructionsPerLook = 60_000_000n;
    const call = p.enqueue(EnqueueMode.wait, 1n, [bundle(1), bundle(2)]);
    p.ic.runToIdle();
    const result = resultOf(call.answer);
    expect(p.values(result).flat()).toEqual([doubled(1, 11), doubled(2, 11)]);
    if (result.status !== 'done') throw new Error('not done');
    for (const { traces } of result.tasks) {
      expect(traces).toHaveLength(2);
      for (const { messages } of traces) expect(messages).toBeGreaterThan(2);
    }
  });

  it('answers results beyond a message by "moved", to be fetched in parts', () => {
    const p = pipeline(1, 1);
    const values = Array.from({ length: 65_000 }, (_, index) => index);
    const tasks = [bundleOf(values), bundleOf(values)];
    const call = p.enqueue(EnqueueMode.wait, 1n, tasks);
    p.ic.runToIdle();
    const moved = resultOf(call.answer);
    if (moved.status !== 'moved') throw new Error(moved.status);
    expect(moved.byteLength).toBeGreaterThan(2 * 65_000 * width * 4);
    const fetched = p.values(p.fetch(moved.requestId));
    for (const column of fetched) expect(column).toEqual(values.map((value) => doubled(value, 2)));
    p.expectReply(p.release(moved.requestId));
  });
});

describe('bad input', () => {
  it('is rejected with what is expected and given, and the next request works', () => {
    const p = pipeline(1, 1);
    const wrongType = { ...rows([1]), dtype: 'int32' as const };
    const cases: [Uint8Array, RegExp][] = [
      [encodeBundle([wrongType]), /"x" takes float32, given int32\[1,4\]/],
      [encodeBundle([{ ...rows([1]), name: 'y' }]), /no input "y"; the inputs are "x"/],
      [encodeBundle([]), /takes 1 inputs, given 0/],
      [encodeBundle([rows([1]), rows([1])]), /takes 1 inputs, given 2/],
      [bundle(1).subarray(0, 30), /truncated/],
      [new Uint8Array(16), /CTB1/],
      [new Uint8Array(3), /shorter/],
    ];
    for (const [task, problem] of cases) {
      for (const mode of [EnqueueMode.wait, EnqueueMode.ticket]) {
        const call = p.enqueue(mode, 1n, [bundle(1), task]);
        p.ic.runToIdle();
        const text = rejectionOf(call.answer);
        expect(text).toMatch(problem);
        expect(parseCanisterError(text)?.code).toBe('bad-input');
      }
    }
    const wrongShape = encodeBundle([{ ...rows([1]), dims: [4, 1] }]);
    const failure = failureOf(p, p.enqueue(EnqueueMode.wait, 1n, [bundle(2), wrongShape]));
    expect(failure.stage).toBe(0);
    expect(failure.text).toMatch(/\[bad-input\] node "layer0" .*float32\[4,1\]/);
    const call = p.enqueue(EnqueueMode.wait, 1n, [bundle(1)]);
    p.ic.runToIdle();
    expect(p.values(resultOf(call.answer))).toEqual([[doubled(1, 2)]]);
    expect(p.status(0).waiting).toBe(0);
  });
});

describe('a failing stage', () => {
  it('fails the request whose task it could not take, and only that', () => {
    const p = pipeline(1, 1, 1);
    const good = p.enqueue(EnqueueMode.wait, 1n, [bundle(1)]);
    p.ic.runToIdle();
    p.workers[1]!.status = 'stopped';
    const bad = p.enqueue(EnqueueMode.wait, 1n, [bundle(2), bundle(3)]);
    const failure = failureOf(p, bad);
    expect(failure.text).toMatch(/^\[next-stage\] stage 1 did not take .* is stopped/);
    p.workers[1]!.status = 'running';
    const again = p.enqueue(EnqueueMode.wait, 1n, [bundle(4)]);
    p.ic.runUntil(() => again.answer !== undefined);
    expect(p.values(resultOf(good.answer))).toEqual([[doubled(1, 3)]]);
    expect(p.values(resultOf(again.answer))).toEqual([[doubled(4, 3)]]);
  });

  it('is told apart from later stages: the head learns which one failed', () => {
    const p = pipeline(1, 1, 1);
    p.workers[2]!.status = 'stopped';
    const failure = failureOf(p, p.enqueue(EnqueueMode.wait, 1n, [bundle(2)]));
    expect(failure.stage).toBe(1);
    expect(failure.text).toMatch(/stage 2 did not take the task from stage 1/);
  });

  it('that traps in its own message fails the task, not the worker', () => {
    for (const stage of [0, 1]) {
      const p = pipeline(1, 1);
      p.ic.nsPerMessage = 0n;
      p.workers[stage]!.instructionLimit = 0n;
      const bad = p.enqueue(EnqueueMode.wait, 1n, [bundle(2)]);
      // The head tries a second time, in a message that holds this task only.
      p.ic.runUntil(() => p.workers[stage]!.traps > (stage === 0 ? 1 : 0));
      p.workers[stage]!.instructionLimit = 1n << 60n;
      const failure = failureOf(p, bad);
      expect(failure.text).toMatch(/instruction limit exceeded/);
      const again = p.enqueue(EnqueueMode.wait, 1n, [bundle(4)]);
      p.ic.runToIdle();
      expect(p.values(resultOf(again.answer))).toEqual([[doubled(4, 2)]]);
    }
  });

  it('that traps at one of several tasks of a message fails only that one', () => {
    const p = pipeline(1, 1);
    p.ic.nsPerMessage = 0n;
    const worker = p.workers[1]!;
    const values = Array.from({ length: 24 }, (_, at) => at);
    const calls = values.map((value) =>
      p.enqueue(EnqueueMode.ticket, BigInt(value), [bundle(value)]),
    );
    for (let count = 0; count < calls.length; count++) p.ic.executeOne();
    const ids = calls.map(({ answer }) => ticketOf(answer));
    const bad = new Uint8Array(new BigUint64Array([ids[12]!]).buffer);
    let most = 0;
    p.ic.onMessage = ({ to, method }) => {
      if (to !== worker.id) return;
      const isBad = method?.name === 'run' && Buffer.from(method.arg).includes(Buffer.from(bad));
      worker.instructionLimit = isBad ? 0n : 1n << 60n;
      if (isBad) most = Math.max(most, method.arg.length);
    };
    p.ic.runToIdle();
    const one = runList([{ requestId: 1n, bundle: bundle(1) }]).length;
    expect(most).toBeGreaterThan(2 * one);
    const failed = ids.filter((id) => p.fetch(id)?.status === 'failed');
    expect(failed).toEqual([ids[12]]);
    expect(p.fetch(ids[13]!)?.status).toBe('done');
  });

  it('gets a task again when the system could not take the call', () => {
    const p = pipeline(1, 1);
    p.head.refuseCallsTo = p.workers[1]!.id;
    const call = p.enqueue(EnqueueMode.wait, 1n, [bundle(2)]);
    for (let count = 0; count < 40; count++) p.ic.executeOne();
    p.head.refuseCallsTo = undefined;
    p.ic.runTimers();
    p.ic.runUntil(() => call.answer !== undefined);
    expect(p.values(resultOf(call.answer))).toEqual([[doubled(2, 2)]]);
  });

  it('does not lose a result when the head is stopped for a while', () => {
    const p = pipeline(1, 1);
    const ticket = p.enqueue(EnqueueMode.ticket, 1n, [bundle(2)]);
    p.ic.runUntil(() => p.status(1).tasksDone === 1n);
    p.head.status = 'stopped';
    p.ic.runToIdle();
    p.head.status = 'running';
    p.ic.runTimers();
    p.ic.runToIdle();
    expect(p.values(p.fetch(ticketOf(ticket.answer)))).toEqual([[doubled(2, 2)]]);
  });

  it('that lost its tasks is found out after a while', () => {
    const p = pipeline(1, 8);
    p.workers[1]!.instructionsPerLook = 60_000_000n;
    p.ic.nsPerMessage = 1_000_000_000n;
    const call = p.enqueue(EnqueueMode.wait, 1n, [bundle(2)]);
    p.ic.runUntil(() => p.status(1).waiting > 0);
    p.ic.reinstall(p.workers[1]!);
    const failure = failureOf(p, call);
    expect(failure.text).toMatch(/no news of its tasks for 120 s/);
  });
});

describe('a request', () => {
  it('that is released while it waits is not worked on', () => {
    const p = pipeline(1, 1);
    const first = p.enqueue(EnqueueMode.ticket, 1n, [bundle(1)]);
    const tasks = Array.from({ length: 30 }, () => bundle(2));
    const second = p.enqueue(EnqueueMode.ticket, 1n, tasks);
    p.ic.runUntil(() => second.answer !== undefined);
    p.expectReply(p.release(ticketOf(second.answer)));
    p.ic.runToIdle();
    expect(p.values(p.fetch(ticketOf(first.answer)))).toEqual([[doubled(1, 2)]]);
    expect(Number(p.status(1).tasksDone)).toBeLessThan(10);
    expect(p.status(0).waiting).toBe(0);
  });

  it('that waits in a call and is released is answered as cancelled', () => {
    const p = pipeline(1, 1);
    const call = p.enqueue(
      EnqueueMode.wait,
      1n,
      Array.from({ length: 30 }, () => bundle(2)),
    );
    let id: bigint | undefined;
    p.ic.onMessage = ({ method }) => {
      if (method?.name === 'run') id ??= partsIn('run', method.arg)[0]!.id;
    };
    p.ic.runUntil(() => id !== undefined);
    p.expectReply(p.release(id!));
    expect(failureOf(p, call).text).toMatch(/^\[cancelled\]/);
    p.ic.runToIdle();
    expect(p.status(0).waiting).toBe(0);
  });

  it('whose task is reported twice counts once', () => {
    const p = pipeline(1, 1);
    const call = p.enqueue(EnqueueMode.ticket, 1n, [bundle(1), bundle(2)]);
    p.ic.runUntil(() => call.answer !== undefined);
    const requestId = ticketOf(call.answer);
    let taskId: bigint | undefined;
    p.ic.onMessage = ({ method }) => {
      if (method?.name === 'run') taskId ??= partsIn('run', method.arg)[0]!.taskId;
    };
    p.ic.runUntil(() => taskId !== undefined);
    const stray = doneList([{ requestId, taskId: taskId!, count: 2, bundle: bundle(9) }]);
    for (let times = 0; times < 3; times++) p.ic.call(p.workers[1]!.id, p.head, 'done', stray);
    p.ic.runToIdle();
    expect(p.values(p.fetch(requestId)).flat()).toEqual([9, doubled(2, 2)]);
  });

  it('goes to the first stage only', () => {
    const p = pipeline(1, 1);
    const call = p.ic.call(coordinator, p.workers[1]!, 'enqueue', new Uint8Array(20));
    p.ic.runToIdle();
    expect(rejectionOf(call.answer)).toMatch(/first stage/);
  });
});
