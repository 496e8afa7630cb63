/** Workers that have few cycles left. */
import { EnqueueMode, parseCanisterError } from '@canopy/protocol';
import { describe, expect, it } from 'vitest';
import type { TestCanister } from './testing/canister.js';
import { bundle, doubled, Pipeline, rejectionOf, ticketOf } from './testing/pipeline.js';

const billion = 1_000_000_000n;

/** Leaves a worker so many thousand million cycles above its freezing threshold. */
function leave(worker: TestCanister, gigacycles: bigint): void {
  worker.cycles = worker.freezingCycles + gigacycles * billion;
}

/** Sends a request; its id, or why it was refused. */
function ask(p: Pipeline, value: number): bigint | ReturnType<typeof parseCanisterError> {
  const call = p.enqueue(EnqueueMode.ticket, 1n, [bundle(value)]);
  p.ic.runUntil(() => call.answer !== undefined);
  if ('reply' in call.answer!) return ticketOf(call.answer);
  return parseCanisterError(rejectionOf(call.answer));
}

function expectDone(p: Pipeline, id: unknown, value: number): void {
  expect(id).toBeTypeOf('bigint');
  expect(p.values(p.fetch(id as bigint))).toEqual([[doubled(value, p.layers)]]);
}

const isLow = { code: 'low-on-cycles', retryable: true };

describe('a worker that is low on cycles', () => {
  it('says what it has', () => {
    const p = Pipeline.deployed([1, 1]);
    leave(p.last, 7n);
    const { freezingCycles } = p.last;
    const aboveFreezing = 7n * billion;
    expect(p.status(1).cycles).toEqual({ balance: freezingCycles + aboveFreezing, aboveFreezing });
    p.last.cycles = freezingCycles - 1n;
    expect(p.status(1).cycles?.aboveFreezing).toBe(0n);
  });

  it.each([[[1]], [[1, 1]]])(
    'finishes what it has as the head, and takes no more until it is topped up: layers %j',
    (layers) => {
      const p = Pipeline.deployed(layers);
      const before = ask(p, 1);
      leave(p.head, 199n);
      const refused = ask(p, 2);
      expect(refused).toMatchObject(isLow);
      expect(refused).toMatchObject({
        message: expect.stringMatching(/199000 M cycles/) as unknown,
      });
      p.ic.runToIdle();
      expectDone(p, before, 1);
      expect(p.status(0).waiting).toBe(0);
      leave(p.head, 200n);
      const after = ask(p, 3);
      p.ic.runToIdle();
      expectDone(p, after, 3);
    },
  );

  it('finishes what it has as a later stage, and has the head take no more for two minutes', () => {
    const p = Pipeline.deployed([1, 1, 1]);
    leave(p.workers[1]!, 199n);
    const first = ask(p, 1);
    const second = ask(p, 2);
    p.ic.runToIdle();
    expectDone(p, first, 1);
    expectDone(p, second, 2);
    const refused = ask(p, 3);
    expect(refused).toMatchObject(isLow);
    expect(refused).toMatchObject({ message: expect.stringMatching(/later stage/) as unknown });
    leave(p.workers[1]!, 200n);
    p.ic.timeNs += 121n * billion;
    const after = ask(p, 4);
    p.ic.runToIdle();
    expectDone(p, after, 4);
  });

  it('fails runs cleanly where it has too few for a call', () => {
    const p = Pipeline.deployed([1, 1, 1]);
    leave(p.last, 49n);
    const id = ask(p, 1) as bigint;
    p.ic.runToIdle();
    const text = expect.stringMatching(/^\[next-stage\] .*\[low-on-cycles\]/) as unknown;
    expect(p.fetch(id)).toMatchObject({ status: 'failed', stage: 1, text });
    expect([0, 1, 2].map((stage) => p.status(stage).waiting)).toEqual([0, 0, 0]);
    leave(p.last, 200n);
    const after = ask(p, 2);
    p.ic.runToIdle();
    expectDone(p, after, 2);
  });
});
