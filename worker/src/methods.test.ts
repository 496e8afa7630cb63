/** Every method of a worker, called by everybody, from the table of methods. */
import { workerMethods as table } from '@canopy/protocol';
import { Principal } from '@dfinity/principal';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { EmbeddedPipeline } from './testing/embedded-ic.js';
import { workerMethods } from './testing/module.js';
import {
  controller,
  coordinator,
  doublingShard,
  Pipeline,
  rejectionOf,
} from './testing/pipeline.js';
import type { TestCanister } from './testing/canister.js';
import type { Answer } from './testing/messages.js';

type Name = keyof typeof table;
const names = Object.keys(table) as Name[];

test('the table has all methods of the module', () => {
  expect([...names].sort()).toEqual([...workerMethods].sort());
});

describe('a method is for those that the table says', () => {
  const p = Pipeline.deployed([1, 1]);
  const [worker, neighbour] = p.workers as [TestCanister, TestCanister];
  const callers: Record<string, { id: string; is: (typeof table)[Name]['caller'][] }> = {
    'a controller': { id: controller, is: ['coordinator'] },
    'the coordinator': { id: coordinator, is: ['coordinator'] },
    'a worker of the pipeline': { id: neighbour.id, is: ['worker'] },
    'the worker itself': { id: worker.id, is: ['worker', 'self'] },
    'a worker of another pipeline': { id: 'ff00aa01', is: [] },
    'a stranger': { id: '01020304', is: [] },
    anonymous: { id: '04', is: [] },
  };
  const send = (id: string, name: Name, arg: Uint8Array): Answer =>
    table[name].kind === 'query' ? worker.query(name, id, arg) : p.ic.update(id, worker, name, arg);
  const isRefused = (answer: Answer): boolean =>
    'reject' in answer && rejectionOf(answer).startsWith('[not-authorised]');

  it.each(names)('%s', (name) => {
    for (const [who, { id, is }] of Object.entries(callers)) {
      const before = p.status(0);
      // No argument: what is not refused for its caller changes nothing either.
      const answer = name === 'load' ? undefined : send(id, name, new Uint8Array());
      const expected = !is.includes(table[name].caller);
      if (answer) expect(isRefused(answer), who).toBe(expected);
      if (name === 'load' && expected)
        expect(isRefused(send(id, name, new Uint8Array()))).toBe(true);
      expect(worker.traps).toBe(0);
      if (expected) expect(p.status(0)).toEqual(before);
    }
  });

  it('whatever the argument is: 1,000 of those who may not', () => {
    const before = p.status(0);
    const call = fc.record({
      name: fc.constantFrom(...names),
      who: fc.constantFrom(...Object.values(callers)),
      arg: fc.uint8Array({ maxLength: 300 }),
    });
    const property = fc.property(call, ({ name, who, arg }) => {
      fc.pre(!(who.is as string[]).includes(table[name].caller));
      expect(isRefused(send(who.id, name, arg))).toBe(true);
    });
    fc.assert(property, { numRuns: 1000, seed: 7 });
    expect(worker.traps).toBe(0);
    expect(p.status(0)).toEqual(before);
  });
});

/** Messages of each kind; `CANOPY_FLOOD=1000` for 10,000 in all. */
const floodOfKind = Number(process.env.CANOPY_FLOOD ?? 10);

describe('messages from outside', () => {
  const chunkBytes = 40_000;
  const p = new EmbeddedPipeline([doublingShard(1), doublingShard(1)], {}, chunkBytes);
  const worker = p.workers[0]!;
  const junk = new Uint8Array(1_900_000).fill(7);
  const submit = (sender: Uint8Array, method: string, arg: Uint8Array): string | undefined => {
    try {
      p.ic.submitIngress({ sender, canisterId: worker, method, arg });
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  };
  const stranger = new Uint8Array(29).fill(3);
  const anonymous = Principal.anonymous().toUint8Array();

  it('are taken of controllers, of methods for them, as long as these may be', () => {
    for (const name of names) {
      const { caller, argumentBytes } = table[name];
      const most = argumentBytes === 'chunk' ? chunkBytes + 36 : argumentBytes;
      const taken = (sender: Uint8Array, bytes: number): boolean =>
        submit(sender, name, new Uint8Array(bytes)) === undefined;
      for (const sender of [stranger, anonymous, worker, p.workers[1]!]) {
        expect(taken(sender, 0), name).toBe(false);
      }
      expect(taken(p.me, most + 1), name).toBe(false);
      expect(taken(p.me, Math.min(most, 1_900_000)), name).toBe(caller === 'coordinator');
    }
    for (const name of ['', 'nothing', 'canister_init', 'configure2', 'x'.repeat(1000)]) {
      expect(submit(p.me, name, new Uint8Array()), name).toContain('rejected the message');
    }
  });

  it('that are not taken cost nothing', () => {
    p.round();
    const cycles = (): bigint => p.ic.cyclesBalance(worker);
    const before = cycles();
    for (const [sender, method] of [
      [stranger, 'configure'],
      [anonymous, 'put_chunk'],
      [stranger, 'enqueue'],
      [stranger, 'run'],
      [p.workers[1]!, 'done'],
      [worker, 'step'],
      [p.me, 'nothing'],
      [p.me, 'put_chunk'],
      [p.me, 'configure'],
      [p.me, 'status'],
    ] as const) {
      for (let count = 0; count < floodOfKind; count++) {
        expect(submit(sender, method, junk)).toContain('Canister rejected the message');
      }
    }
    expect(cycles()).toBe(before);
  });
});
