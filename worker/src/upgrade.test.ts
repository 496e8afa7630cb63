import { EnqueueMode } from '@canopy/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { workerModule } from './testing/module.js';
import { bundle, bundleOf, doubled, Pipeline, ticketOf } from './testing/pipeline.js';
import { TestIc, type Call } from './testing/test-ic.js';

const pipeline = (layers: number[], resultsStay = false): Pipeline =>
  Pipeline.deployed(layers, { resultsStay });

/**
 * Requests of both kinds, of several tasks each; those of the last stage take several messages.
 * Returns what finishes and checks them, in this pipeline or a fork of it.
 */
function begin(p: Pipeline): (p: Pipeline) => void {
  for (const worker of p.workers) worker.instructionsPerLook = 40_000_000n;
  const calls = [
    p.enqueue(EnqueueMode.wait, 1n, [bundle(1), bundle(2, 3)]),
    p.enqueue(EnqueueMode.ticket, 2n, [bundle(4), bundle(5), bundle(6)]),
    p.enqueue(EnqueueMode.wait, 2n, [bundle(7)]),
  ];
  return (p) => {
    const [waiting, ticket, other] = calls.map((call) => p.ic.callOf(call)) as [Call, Call, Call];
    p.ic.runUntil(() => waiting.answer !== undefined && other.answer !== undefined);
    p.ic.runUntil(() => p.fetch(ticketOf(ticket.answer)) !== undefined);
    const expected = (...values: number[]): number[] =>
      values.map((value) => doubled(value, p.layers));
    expect(p.values(p.resultOf(waiting.answer)).flat()).toEqual(expected(1, 2, 3));
    expect(p.values(p.fetch(ticketOf(ticket.answer))).flat()).toEqual(expected(4, 5, 6));
    expect(p.values(p.resultOf(other.answer)).flat()).toEqual(expected(7));
    p.ic.runToIdle();
    p.workers.forEach((worker, stage) => {
      expect(p.status(stage)).toMatchObject({ waiting: 0, tasksDone: 6n });
      expect(worker.traps).toBe(0);
    });
  };
}

function messagesOfARun(layers: number[], resultsStay: boolean): number {
  const p = pipeline(layers, resultsStay);
  const check = begin(p);
  const before = p.ic.messagesExecuted;
  check(p);
  return p.ic.messagesExecuted - before;
}

describe('an upgrade', () => {
  for (const { layers, resultsStay } of [
    { layers: [6], resultsStay: false },
    { layers: [1, 4], resultsStay: false },
    { layers: [1, 5, 2], resultsStay: false },
    { layers: [1, 4], resultsStay: true },
  ]) {
    const where = resultsStay ? 'the last stage' : 'the head';
    it(`of any of ${layers.length} stages loses nothing, whenever it happens; results are at ${where}`, () => {
      const messages = messagesOfARun(layers, resultsStay);
      const p = pipeline(layers, resultsStay);
      const check = begin(p);
      for (let at = 0; at < messages; at++) {
        for (let stage = 0; stage < layers.length; stage++) {
          const fork = p.fork();
          fork.ic.upgrade(fork.workers[stage]!);
          check(fork);
        }
        p.ic.executeOne();
      }
    });
  }

  it('of all stages again and again loses nothing', () => {
    const property = fc.property(
      fc.array(fc.record({ after: fc.nat(6), stage: fc.nat(2) }), { maxLength: 40 }),
      fc.infiniteStream(fc.nat(7)),
      fc.boolean(),
      (upgrades, choices, resultsStay) => {
        const p = pipeline([1, 3, 2], resultsStay);
        p.ic.pick = () => choices.next().value as number;
        const check = begin(p);
        for (const { after, stage } of upgrades) {
          for (let count = 0; count < after; count++) p.ic.executeOne();
          p.ic.upgrade(p.workers[stage]!);
        }
        check(p);
      },
    );
    fc.assert(property, { numRuns: 60 });
  });

  it.each([false, true])('keeps results not fetched, queues, counters; they stay: %s', (stay) => {
    const p = pipeline([1, 1], stay);
    const values = Array.from({ length: 65_000 }, (_, index) => index);
    const small = p.enqueue(EnqueueMode.ticket, 1n, [bundle(1)]);
    const large = p.enqueue(EnqueueMode.ticket, 1n, [bundleOf(values), bundleOf(values)]);
    p.ic.runToIdle();
    for (let times = 0; times < 3; times++) for (const worker of p.workers) p.ic.upgrade(worker);
    expect(p.values(p.fetch(ticketOf(small.answer)))).toEqual([[doubled(1, 2)]]);
    const fetched = p.values(p.fetch(ticketOf(large.answer)));
    expect(fetched[1]).toEqual(values.map((value) => doubled(value, 2)));
    expect(p.status(1).tasksDone).toBe(3n);
    const heap = p.workers.map(({ heapBytes }) => heapBytes);
    for (let times = 0; times < 5; times++) for (const worker of p.workers) p.ic.upgrade(worker);
    expect(p.workers.map(({ heapBytes }) => heapBytes)).toEqual(heap);
    p.expectReply(p.release(ticketOf(small.answer)));
    expect(() => p.fetch(ticketOf(small.answer))).toThrow(/unknown-request/);
  });

  it('of a worker that was never configured leaves it so', () => {
    const p = new Pipeline(new TestIc(workerModule), [1]);
    p.ic.upgrade(p.head);
    expect(p.status(0).state).toBe(0);
    p.configure(0);
    p.putChunk(0, 0);
    p.ic.upgrade(p.head);
    expect(p.status(0)).toMatchObject({ state: 1, chunksHeld: 1 });
    p.putChunk(0, 1);
    p.load(0);
    p.ic.upgrade(p.head);
    expect(p.status(0).state).toBe(3);
  });

  it('while the shard is loaded brings a loaded worker', () => {
    const p = new Pipeline(new TestIc(workerModule), [1]);
    p.configure(0);
    p.putChunk(0, 0);
    p.putChunk(0, 1);
    p.expectReply(p.ic.update('00', p.head, 'load'));
    p.ic.upgrade(p.head);
    expect(p.status(0).state).toBe(3);
    p.ic.runToIdle();
    expect(p.head.traps).toBe(0);
  });
});
