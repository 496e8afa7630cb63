import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canisterIdFromNumber } from '../../principal.js';
import { Canister, defaultSettings, type LongExecution } from '../../state/index.js';
import { decay, giveOut, settle } from './priorities.js';
import { compare, newStanding, PERCENT, type Standing } from './standing.js';
import { deal, longThreads } from './threads.js';

const paused: LongExecution = { kind: 'message', state: 'paused' };
const aborted: LongExecution = { kind: 'message', state: 'aborted' };

interface Given {
  readonly id: number;
  readonly allocation?: number;
  readonly priority?: number;
  readonly executed?: number;
  readonly start?: number;
  readonly long?: LongExecution;
}

function standing({
  id,
  allocation = 0,
  priority = 0,
  executed = 0,
  start,
  long,
}: Given): Standing {
  const settings = { ...defaultSettings([]), computeAllocation: allocation };
  const canister = new Canister(canisterIdFromNumber(BigInt(id)), 'subnet', settings, 0n, 0n);
  canister.paused = long;
  return {
    ...newStanding(canister),
    priority: priority * PERCENT,
    executedRounds: executed,
    startRound: start,
  };
}
const percent = ({ priority }: Standing): number => Math.trunc(priority / PERCENT);
const busy = (): boolean => false;

describe('the order of a schedule', () => {
  it('puts long executions first, by rounds, priority, start and id', () => {
    const long = (executed: number, priority: number, start: number, id: number): Given => ({
      id,
      executed,
      priority,
      start,
      long: paused,
    });
    const ordered = [
      long(2, 100, 1, 1),
      long(2, 100, 2, 2),
      long(2, 100, 2, 3),
      long(2, 0, 1, 4),
      long(1, 100, 1, 5),
      { id: 6, priority: 100 },
      { id: 7, priority: 100 },
      { id: 8, priority: 0 },
    ].map(standing);
    fc.assert(
      fc.property(fc.shuffledSubarray(ordered, { minLength: 8 }), (shuffled) => {
        expect([...shuffled].sort(compare)).toEqual(ordered);
      }),
      { numRuns: 20 },
    );
  });

  it('takes an aborted execution for one that has run a round', () => {
    const first = standing({ id: 2, priority: 100, executed: 0, start: 3, long: aborted });
    const second = standing({ id: 1, priority: 0, executed: 1, start: 1, long: paused });
    expect([second, first].sort(compare)).toEqual([first, second]);
  });

  it('counts compute allocation as priority', () => {
    const paying = standing({ id: 2, allocation: 30 });
    const waiting = standing({ id: 1, priority: 20 });
    expect([waiting, paying].sort(compare)).toEqual([paying, waiting]);
  });
});

describe('threads', () => {
  it.each([
    [1, 0, 1],
    [3, 0, 3],
    [6, 0, 4],
    [1, 1, 1],
    [1, 30, 1],
    [2, 1, 2],
    [2, 3, 2],
    [2, 4, 1],
    [3, 1, 3],
    [4, 4, 2],
  ])('%i long executions beside %i others have %i', (long, others, expected) => {
    const all = { count: long + others, allocation: 0 };
    expect(longThreads({ count: long, allocation: 0 }, all, 4)).toBe(expected);
  });

  it('are for long executions or for others, never for both', () => {
    expect(deal(['L1', 'L2', 'L3'], ['N4', 'N5', 'N6', 'N7', 'N8'], 1, 3)).toEqual([
      ['L1', 'L2', 'L3'],
      ['N4', 'N6', 'N8'],
      ['N5', 'N7'],
    ]);
  });
});

describe('priorities after a round', () => {
  /** What each has after `charged` rounds of the first ones, these rounds added back. */
  it.each([
    [0, [100, 70, 20, 0]],
    [1, [100, 70, 20, 0]],
    [2, [100, 73, 23, 3]],
    [3, [100, 100, 60, 40]],
    [4, [100, 100, 100, 100]],
    [5, [125, 125, 125, 125]],
  ])('of four with allocations, %i rounds charged', (charged, expected) => {
    const all = [100, 70, 20, 0].map((allocation, id) => standing({ id, allocation }));
    const paid = all.map(
      (_, index) => (index < charged ? 100 : 0) + (charged === 5 && index === 0 ? 100 : 0),
    );
    all.forEach((one, index) => (one.priority -= paid[index]! * PERCENT));
    settle(all, 9, busy);
    expect(
      all.map((one, index) => percent({ ...one, priority: one.priority + paid[index]! * PERCENT })),
    ).toEqual(expected);
  });

  it('of a long execution: a round is paid at its start, the others at its end', () => {
    const starting = standing({ id: 1, executed: 1, start: 5, long: paused });
    settle([starting], 5, busy);
    expect(percent(starting)).toBe(-100 + 100);
    const going = standing({ id: 1, priority: 40, executed: 2, start: 5, long: paused });
    settle([going], 6, busy);
    expect(percent(going)).toBe(40);
    const ending = standing({ id: 1, priority: 210, executed: 3, start: 5 });
    settle([ending], 7, busy);
    expect(percent(ending)).toBe(10);
    expect(ending).toMatchObject({ executedRounds: 0, startRound: undefined });
  });

  it('of one that is idle: what it has falls to nothing', () => {
    const idle = standing({ id: 1, priority: 150 });
    settle([idle], 3, () => true);
    expect(percent(idle)).toBe(50);
    settle([idle], 4, () => true);
    expect(percent(idle)).toBe(0);
  });

  it('shrink beyond their bounds', () => {
    expect(decay(-3000 * PERCENT)).toBe(-2800 * PERCENT);
    expect(decay(1000 * PERCENT)).toBe(900 * PERCENT);
    expect(decay(500 * PERCENT)).toBe(500 * PERCENT);
  });

  it('are given out in equal shares that are whole, never more than there is', () => {
    const allocation = fc.integer({ min: 0, max: 100 });
    fc.assert(
      fc.property(fc.array(allocation, { minLength: 1, maxLength: 9 }), fc.nat(), (all, free) => {
        const standings = all.map((one, id) => standing({ id, allocation: one }));
        giveOut(free, standings);
        const given = standings.reduce((sum, { priority }) => sum + priority, 0);
        expect(given).toBeLessThanOrEqual(free);
        for (const { priority } of standings) expect(priority).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
