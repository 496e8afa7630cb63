import { describe, expect, test, vi } from 'vitest';
import { ByteReader, RunEnd } from '@canopy/protocol';
import { FakeIc, endedRuns, workerIds } from '../../testing/fake-ic.js';
import { CallFailure } from '../ic/ic.js';
import type { Placed } from '../registry/tickets.js';
import { Releases } from './releases.js';

const [head, last] = workerIds;

function ticket(requestId: bigint, staysAt: 'head' | 'last' = 'head'): Placed {
  const keeper = staysAt === 'head' ? { worker: head!, stage: 0 } : { worker: last!, stage: 1 };
  return { head: head!, keeper, requestId, epoch: 5n };
}

function idsOf(bytes: Uint8Array): bigint[] {
  const input = new ByteReader(bytes, 'ids');
  expect(input.u64()).toBe(5n);
  return Array.from({ length: bytes.length / 8 - 1 }, () => input.u64());
}

/** Releases, and the ids of each call of `release` so far with the worker called. */
function setUp() {
  const ic = new FakeIc();
  ic.step = 0n;
  ic.onCall = (_, bytes) => endedRuns(idsOf(bytes));
  const told = (): [string, bigint[]][] =>
    ic.calls.map(({ canister, bytes }) => [canister, idsOf(bytes)]);
  const ends: [bigint | undefined, number | undefined][] = [];
  const releases = new Releases(ic, (released, _, ended) => {
    ends.push([released?.ticket, ended?.end]);
  });
  return { ic, releases, told, ends };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Lets so much time pass, and runs the timer that is due then. */
async function passSeconds(ic: FakeIc, seconds: number): Promise<void> {
  ic.time += BigInt(seconds) * 1_000_000_000n;
  ic.timers.shift()?.();
  await settled();
}

describe('releases', () => {
  test('go out in one call a round: the first at once, the others with the next round', async () => {
    const { ic, releases, told } = setUp();
    for (const id of [1n, 2n, 3n]) releases.add(ticket(id), id);
    await settled();
    expect(told()).toEqual([[head!.toText(), [1n]]]);
    ic.time += 1n;
    releases.tell();
    await settled();
    expect(told().slice(1)).toEqual([[head!.toText(), [2n, 3n]]]);
    expect(releases.save()).toEqual([]);
  });

  test('go out by a timer where no other message comes', async () => {
    const { ic, releases, told } = setUp();
    releases.add(ticket(1n), 1n);
    releases.add(ticket(2n), 2n);
    expect(ic.timers).toHaveLength(1);
    ic.time += 10n;
    ic.timers.shift()!();
    await settled();
    expect(told()).toHaveLength(2);
  });

  test('go to where each result is kept, one worker a round, the one with most first', async () => {
    const { ic, releases, told } = setUp();
    releases.restore([ticket(2n, 'last'), ticket(1n), ticket(3n)]);
    releases.tell();
    releases.tell();
    await settled();
    expect(told()).toHaveLength(1);
    ic.time += 1n;
    ic.timers.shift()!();
    await settled();
    expect(told()).toEqual([
      [head!.toText(), [1n, 3n]],
      [last!.toText(), [2n]],
    ]);
  });

  test('go to the head for those that the last stage does not know', async () => {
    const { ic, releases, told } = setUp();
    ic.onCall = (_, bytes, canister) => {
      const knows = (id: bigint): boolean => canister === head!.toText() || id !== 2n;
      const parts = idsOf(bytes).map((id) =>
        endedRuns([id], { end: knows(id) ? RunEnd.done : RunEnd.unknown }),
      );
      return new Uint8Array(Buffer.concat(parts));
    };
    releases.restore([ticket(1n, 'last'), ticket(2n, 'last')]);
    releases.tell();
    await settled();
    expect(told()).toEqual([
      [last!.toText(), [1n, 2n]],
      [head!.toText(), [2n]],
    ]);
  });

  test('go to the head where the last stage was installed anew', async () => {
    const { ic, releases, told } = setUp();
    ic.onCall = (_, bytes, canister) => {
      if (canister === last!.toText()) throw new CallFailure(4, '[not-configured] configure first');
      return endedRuns(idsOf(bytes));
    };
    releases.add(ticket(1n, 'last'), 1n);
    await settled();
    expect(told()).toEqual([
      [last!.toText(), [1n]],
      [head!.toText(), [1n]],
    ]);
    expect(releases.save()).toEqual([]);
  });

  test('that a worker did not take are told again', async () => {
    const { ic, releases, told } = setUp();
    ic.onCall = () => {
      throw new CallFailure(5, 'canister is stopped');
    };
    releases.add(ticket(1n), 1n);
    await vi.waitFor(() => {
      expect(releases.save()).toHaveLength(1);
    });
    ic.onCall = (_, bytes) => endedRuns(idsOf(bytes));
    await passSeconds(ic, 10);
    expect(told()).toHaveLength(2);
    expect(releases.save()).toEqual([]);
  });

  test.each([
    ['no', 5, 'Canister abc is stopped', 12],
    ['no', 2, 'Canister abc is out of cycles', 12],
    ['no', 4, '[busy] later', 12],
    ['a deleted', 3, 'Canister not found', 1],
    ['a reinstalled', 4, '[not-authorised] only its coordinator', 1],
    ['a reinstalled', 4, '[not-configured] configure first', 1],
    ['a reconfigured', 4, '[other-epoch] 5 instead of 6', 1],
  ])('are not told for ever: %s worker answers %i "%s"', async (_, code, text, calls) => {
    const { ic, releases, told, ends } = setUp();
    ic.onCall = () => {
      throw new CallFailure(code, text);
    };
    releases.add(ticket(1n), 1n);
    await settled();
    for (let hour = 0; hour < 24; hour++) {
      for (let step = 0; step < 360; step++) await passSeconds(ic, 10);
    }
    expect(told()).toHaveLength(calls);
    expect(ends).toEqual([[1n, undefined]]);
    expect(releases.save()).toEqual([]);
    expect(ic.timers).toEqual([]);
  });

  test('tell how each request ended, and which others did', async () => {
    const { ic, releases, ends } = setUp();
    ic.onCall = () => {
      const asked = endedRuns([7n], { end: RunEnd.cancelled });
      return new Uint8Array(Buffer.concat([asked, endedRuns([8n], { end: RunEnd.failed })]));
    };
    releases.add(ticket(7n), 70n);
    await settled();
    expect(ends).toEqual([
      [70n, RunEnd.cancelled],
      [undefined, RunEnd.failed],
    ]);
  });

  test('that no worker knows are told to be lost', async () => {
    const { ic, releases, told, ends } = setUp();
    ic.onCall = (_, bytes) => endedRuns(idsOf(bytes), { end: RunEnd.unknown });
    releases.restore([{ ...ticket(1n, 'last'), ticket: 10n }]);
    releases.tell();
    await settled();
    expect(told().map(([worker]) => worker)).toEqual([last, head, last].map((id) => id!.toText()));
    expect(ends).toEqual([[10n, undefined]]);
  });

  test('are told after an upgrade without another message', async () => {
    const { releases } = setUp();
    releases.restore([ticket(1n)]);
    const after = setUp();
    after.releases.restore(releases.save());
    await passSeconds(after.ic, 10);
    expect(after.told()).toEqual([[head!.toText(), [1n]]]);
    expect(after.releases.save()).toEqual([]);
  });

  test('never wait in larger numbers than a message names', async () => {
    const { ic, releases } = setUp();
    ic.onCall = () => {
      throw new CallFailure(5, 'Canister abc is stopped');
    };
    for (let id = 0n; id < 3000n; id++) {
      releases.add(ticket(id), id);
      if (id % 500n === 0n) await passSeconds(ic, 10);
    }
    expect(releases.save().length).toBeLessThanOrEqual(1024);
  });
});
