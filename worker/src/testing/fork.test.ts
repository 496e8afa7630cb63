import { EnqueueMode } from '@canopy/protocol';
import { describe, expect, it } from 'vitest';
import { bundle, bundleOf, Pipeline, ticketOf } from './pipeline.js';

/** All that happens until there is nothing left to do, and what is there then. */
function rest(p: Pipeline): unknown[] {
  const seen: unknown[] = [];
  p.ic.onMessage = (message) => {
    seen.push(message, p.ic.timeNs);
  };
  p.ic.runToIdle();
  p.ic.onMessage = undefined;
  return [...seen, p.workers.map((worker, stage) => [p.status(stage), worker.stable.length])];
}

describe('a fork', () => {
  it('goes on as the first would have, at each message, whichever goes on first', () => {
    const p = Pipeline.deployed([1, 3]);
    for (const worker of p.workers) worker.instructionsPerLook = 40_000_000n;
    p.enqueue(EnqueueMode.wait, 1n, [bundle(1), bundle(2, 3)]);
    const ticket = p.enqueue(EnqueueMode.ticket, 2n, [bundle(4)]);
    const expected = rest(p.fork());
    expect(expected.length).toBeGreaterThan(40);
    for (let at = 0; !p.ic.isIdle; at += 2) {
      const [before, after] = [p.fork(), p.fork()];
      expect(rest(before)).toEqual(expected.slice(at));
      p.ic.executeOne();
      expect(rest(after)).toEqual(expected.slice(at));
      const { answer } = after.ic.callOf(ticket);
      expect(after.values(after.fetch(ticketOf(answer)))).toEqual([[79]]);
    }
  });

  it('has a heap, stable memory and calls of its own', () => {
    const p = Pipeline.deployed([1, 1]);
    const call = p.enqueue(EnqueueMode.ticket, 1n, [bundle(1)]);
    const fork = p.fork();
    const values = Array.from({ length: 30_000 }, (_, index) => index);
    const large = fork.enqueue(EnqueueMode.ticket, 1n, [bundleOf(values), bundleOf(values)]);
    fork.ic.runToIdle();
    for (const worker of fork.workers) fork.ic.upgrade(worker);
    expect(fork.head.heapBytes).toBeGreaterThan(p.head.heapBytes);
    expect(fork.head.stable.length).toBeGreaterThan(p.head.stable.length);
    expect(call.answer).toBeUndefined();
    expect(() => p.ic.callOf(large)).toThrow('after the fork');
    p.ic.runToIdle();
    expect(p.status(1).tasksDone).toBe(1n);
    expect(fork.status(1).tasksDone).toBe(3n);
    p.head.instructionLimit = 0n;
    expect(p.enqueue(EnqueueMode.ticket, 1n, [bundle(1)]).number).toBe(large.number);
    p.ic.runToIdle();
    expect([p.head.traps > 0, fork.head.traps]).toEqual([true, 0]);
    expect(fork.values(fork.fetch(ticketOf(fork.ic.callOf(call).answer)))).toEqual([[7]]);
  });

  it('is of a pipeline deployed once', () => {
    const [first, second] = [Pipeline.deployed([2]), Pipeline.deployed([2])];
    first.enqueue(EnqueueMode.wait, 1n, [bundle(1)]);
    first.ic.runToIdle();
    expect(second.status(0).tasksDone).toBe(0n);
    expect(Pipeline.deployed([2], { resultsStay: true }).config(0).resultsStay).toBe(true);
  });
});
