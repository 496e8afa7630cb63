import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter, EnqueueMode, decodeResult, encodeBundle } from '@canopy/protocol';
import {
  FakeIc,
  alice,
  bob,
  doneResult,
  readEnqueue,
  samplePlan,
  workerIds,
} from '../../testing/fake-ic.js';
import { Coordinator } from '../coordinator.js';
import { errorRecord } from '../error.js';
import { CallFailure } from '../ic/ic.js';
import { answerLimit } from '../registry/answers.js';
import {
  restoreAnswer,
  restoreModels,
  restoreTraffic,
  saveAnswer,
  saveModels,
  saveTraffic,
} from '../state.js';
import { cancel, fetchPart, release } from './fetch.js';
import { infer, submit } from './infer.js';

function inputs(value = 1): Uint8Array {
  return encodeBundle([
    { name: 'x', dtype: 'float32', dims: [1, 2], data: new Uint8Array(8).fill(value) },
    { name: 'mask', dtype: 'int64', dims: [1], data: new Uint8Array(8) },
  ]);
}
const number = { id: 77n, digest: 5n };
const row = (bytes = 8): Uint8Array =>
  encodeBundle([{ name: '', dtype: 'float32', dims: [1, bytes / 4], data: new Uint8Array(bytes) }]);

/** A head that answers calls of `enqueue` when the test says so, and holds one request it was given. */
class SlowHead {
  readonly ic = new FakeIc();
  coordinator = new Coordinator(this.ic);
  /** Requests taken. */
  taken = 0;
  released: bigint[] = [];
  private isWaiting = false;
  private finish: ((reply: Uint8Array | CallFailure) => void) | undefined;

  constructor() {
    const plan = samplePlan();
    const model = {
      name: 'm',
      plan,
      planText: JSON.stringify(plan),
      workers: workerIds,
      epoch: 1n,
    };
    this.coordinator.models.add(model);
    this.ic.call = async (_canister, method, bytes) => {
      await Promise.resolve();
      if (method === 'release') {
        const release = new ByteReader(bytes, 'release');
        expect(release.u64()).toBe(1n);
        this.released.push(release.u64());
        return new Uint8Array();
      }
      if (method === 'fetch') return this.fetch();
      this.isWaiting = readEnqueue(bytes).mode === EnqueueMode.wait;
      const reply = await new Promise<Uint8Array | CallFailure>((resolve) => {
        this.finish = resolve;
      });
      if (reply instanceof CallFailure) throw reply;
      this.taken++;
      return reply;
    };
  }

  get isAsked(): boolean {
    return this.finish !== undefined;
  }
  /** The head takes the request and, where its call waits, answers with the result. */
  answers(bundle = row()): void {
    this.reply(this.isWaiting ? doneResult(9n, [bundle]) : new ByteWriter().u64(9n).finish());
  }
  refuses(): void {
    this.reply(new CallFailure(4, '[busy] 64 requests wait'));
  }
  upgrade(): void {
    this.finish = undefined;
    const upgraded = new Coordinator(this.ic);
    restoreModels(upgraded, saveModels(this.coordinator));
    const { answers } = this.coordinator;
    for (const ticket of answers.tickets()) {
      restoreAnswer(upgraded, ticket, saveAnswer(answers.find(ticket)!));
    }
    restoreTraffic(upgraded, saveTraffic(this.coordinator));
    this.coordinator = upgraded;
  }

  private fetch(): Uint8Array {
    const result = doneResult(9n, [row()]);
    return new ByteWriter().u32(1).u32(result.length).bytes(result).finish();
  }
  private reply(reply: Uint8Array | CallFailure): void {
    this.finish?.(reply);
    this.finish = undefined;
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const codeOf = (attempt: Promise<unknown>): Promise<string> =>
  attempt.then(
    () => 'ok',
    (error: unknown) => errorRecord(error).code,
  );

describe('a request that comes again with its number', () => {
  test.each([
    ['infer', infer],
    ['submit', submit],
  ])('%s gets the ticket while it is on its way, and when it is done', async (_, ask) => {
    const head = new SlowHead();
    const { coordinator } = head;
    const first = ask(coordinator, 'm', inputs(), number);
    await settled();
    const again = await ask(coordinator, 'm', inputs(), number);
    const { ticket } = again as { ticket: bigint };
    expect(await fetchPart(coordinator, ticket, 0)).toEqual({ kind: 'pending', done: 0, total: 1 });
    head.answers();
    await first;
    expect(await ask(coordinator, 'm', inputs(), number)).toMatchObject({ ticket });
    expect(await submit(coordinator, 'm', inputs(), number)).toEqual({ kind: 'ok', ticket });
    const part = await fetchPart(coordinator, ticket, 0);
    if (part.kind !== 'part') throw new Error(part.kind);
    expect(decodeResult(part.bytes)).toMatchObject({ status: 'done', tasks: [{ bundle: row() }] });
    release(coordinator, ticket);
    await settled();
    expect(await codeOf(ask(coordinator, 'm', inputs(), number))).toBe('unknown-request');
    expect(head.taken).toBe(1);
  });

  test('is refused where it is another request', async () => {
    const head = new SlowHead();
    const { coordinator } = head;
    const first = submit(coordinator, 'm', inputs(), number);
    await settled();
    head.answers();
    await first;
    const attempts = [
      submit(coordinator, 'm', inputs(2), { ...number, digest: 6n }),
      submit(coordinator, 'm', new Uint8Array(3), number),
      infer(coordinator, 'other', inputs(), number),
    ];
    for (const attempt of attempts) expect(await codeOf(attempt)).toBe('bad-input');
    head.ic.sender = bob;
    const others = submit(coordinator, 'm', inputs(), number);
    await settled();
    head.answers();
    expect(await others).not.toEqual(await first);
  });

  test('is asked anew where nothing was run', async () => {
    const head = new SlowHead();
    const { coordinator } = head;
    const first = codeOf(submit(coordinator, 'm', inputs(), number));
    await settled();
    const { ticket } = await submit(coordinator, 'm', inputs(), number);
    head.refuses();
    expect(await first).toBe('busy');
    const part = await fetchPart(coordinator, ticket, 0);
    if (part.kind !== 'part') throw new Error(part.kind);
    expect(decodeResult(part.bytes)).toMatchObject({ status: 'failed' });
    expect(await codeOf(submit(coordinator, 'm', Uint8Array.of(1), { ...number, id: 1n }))).toBe(
      'bad-input',
    );
    const second = submit(coordinator, 'm', inputs(), number);
    await settled();
    head.answers();
    expect((await second).ticket).not.toBe(ticket);
  });

  test('gets the failure that the workers met, and runs nothing', async () => {
    const head = new SlowHead();
    const { coordinator } = head;
    const first = codeOf(infer(coordinator, 'm', inputs(), number));
    await settled();
    head.answers(Uint8Array.of(1, 2));
    expect(await first).toBe('internal');
    const { ticket } = (await infer(coordinator, 'm', inputs(), number)) as { ticket: bigint };
    const part = await fetchPart(coordinator, ticket, 0);
    if (part.kind !== 'part') throw new Error(part.kind);
    expect(decodeResult(part.bytes)).toMatchObject({ status: 'failed' });
    expect(head.taken).toBe(1);
  });

  test('answers that are kept take a limited number of bytes, the latest ones', async () => {
    const head = new SlowHead();
    const { coordinator } = head;
    for (let id = 0n; id < 9n; id++) {
      const asked = infer(coordinator, 'm', inputs(), { id, digest: 0n });
      await settled();
      head.answers(row(1_000_000));
      await asked;
    }
    const kept = coordinator.answers
      .tickets()
      .map((ticket) => coordinator.answers.find(ticket)!.bytes.length);
    expect(kept).toHaveLength(4);
    expect(kept.reduce((sum, bytes) => sum + bytes)).toBeLessThanOrEqual(answerLimit);
    const again = (id: bigint): Promise<unknown> =>
      codeOf(infer(coordinator, 'm', inputs(), { id, digest: 0n }));
    expect(await again(8n)).toBe('ok');
    expect(await again(0n)).toBe('unknown-request');
    expect(head.taken).toBe(9);
  });
});

describe('cancel', () => {
  test('before the request comes: it is refused', async () => {
    const head = new SlowHead();
    cancel(head.coordinator, number.id);
    cancel(head.coordinator, number.id);
    expect(await codeOf(submit(head.coordinator, 'm', inputs(), number))).toBe('cancelled');
    expect(head.isAsked).toBe(false);
  });

  test.each([true, false])('on its way to the head, which takes it: %s', async (takes) => {
    const head = new SlowHead();
    const { coordinator } = head;
    const asked = submit(coordinator, 'm', inputs(), number).catch(() => undefined);
    await settled();
    cancel(coordinator, number.id);
    if (takes) head.answers();
    else head.refuses();
    await asked;
    await settled();
    expect(head.released).toEqual(takes ? [9n] : []);
    expect(coordinator.tickets.all()).toEqual([]);
    expect(coordinator.requests.latest(1, alice)[0]?.error).toMatchObject({ code: 'cancelled' });
    expect(coordinator.requests.counters).toMatchObject({ requests: 1, failed: 1 });
    expect(await codeOf(submit(coordinator, 'm', inputs(), number))).toBe('unknown-request');
  });

  test('at the workers; only of its caller', async () => {
    const head = new SlowHead();
    const { coordinator } = head;
    const asked = submit(coordinator, 'm', inputs(), number);
    await settled();
    head.answers();
    await asked;
    head.ic.sender = bob;
    cancel(coordinator, number.id);
    await settled();
    expect(head.released).toEqual([]);
    head.ic.sender = alice;
    cancel(coordinator, number.id);
    await settled();
    expect(head.released).toEqual([9n]);
  });
});

test('however often and whenever a request is sent again, it runs once', async () => {
  const event = fc.constantFrom('infer', 'submit', 'answer', 'refuse', 'upgrade', 'fetch', 'pause');
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 30 }), async (events) => {
      const head = new SlowHead();
      const tickets = new Set<bigint>();
      const learn = (outcome: object): void => {
        if ('ticket' in outcome) tickets.add(outcome.ticket as bigint);
      };
      for (const one of events) {
        const { coordinator } = head;
        if (one === 'infer' || one === 'submit') {
          const ask = one === 'infer' ? infer : submit;
          ask(coordinator, 'm', inputs(), number).then(learn, () => undefined);
        } else if (one === 'answer') head.answers();
        else if (one === 'refuse') {
          head.refuses();
          await settled();
          // The number is free again, and the next request has another ticket.
          if (head.taken === 0) tickets.clear();
        } else if (one === 'upgrade') head.upgrade();
        else if (one === 'fetch' && tickets.size > 0) {
          await fetchPart(coordinator, [...tickets][0]!, 0);
        }
        await settled();
      }
      expect(head.taken).toBeLessThanOrEqual(1);
      expect(tickets.size).toBeLessThanOrEqual(1);
    }),
    { numRuns: 300 },
  );
});
