import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TestIc } from './testing/test-ic.js';
import { COUNTER } from './testing/canisters.js';
import { profileOf } from '../costs/index.js';
import { limitsOf } from './limits.js';
import { byPriority, dealToThreads, planRound, settlePriorities } from './round-schedule.js';
import type { Canister } from '../state/index.js';

const APPLICATION_LIMITS = limitsOf(profileOf('2025-10'));

function canisters(count: number): Canister[] {
  const test = new TestIc();
  const all = Array.from({ length: count }, () => test.ic.canister(test.create(COUNTER))!);
  for (const { scheduler } of all) scheduler.accumulatedPriority = 0;
  return all;
}

describe('priorities', () => {
  it('rank canisters that waited before those that had a turn', () => {
    const [a, b, c] = canisters(3) as [Canister, Canister, Canister];
    const all = [a, b, c];
    const first = byPriority(all)[0]!;
    const schedule = planRound(all, 1, APPLICATION_LIMITS);
    settlePriorities(schedule, all, new Set([first]), APPLICATION_LIMITS);
    expect(byPriority(all).at(-1)!.key).toBe(first.key);
  });

  it('give out as much as they take', () => {
    const all = canisters(5);
    fc.assert(
      fc.property(fc.array(fc.subarray(all), { minLength: 1, maxLength: 20 }), (rounds) => {
        const total = (): number =>
          all.reduce((sum, { scheduler }) => sum + scheduler.accumulatedPriority, 0);
        const before = total();
        for (const fully of rounds) {
          const schedule = planRound(all, 1, APPLICATION_LIMITS);
          settlePriorities(schedule, all, new Set(fully), APPLICATION_LIMITS);
        }
        // Shares are whole numbers, so that a little may stay over in a round.
        expect(Math.abs(total() - before)).toBeLessThan(5 * rounds.length);
      }),
      { numRuns: 50 },
    );
  });

  it('prefer compute allocation', () => {
    const all = canisters(4);
    const paying = all[3]!;
    paying.settings = { ...paying.settings, computeAllocation: 50 };
    for (let round = 1; round < 4; round++) {
      settlePriorities(
        planRound(all, round, APPLICATION_LIMITS),
        all,
        new Set(),
        APPLICATION_LIMITS,
      );
    }
    expect(byPriority(all)[0]!.key).toBe(paying.key);
  });
});

describe('dealToThreads', () => {
  it('deals canisters in turn', () => {
    const all = canisters(6);
    const schedule = planRound(all, 1, APPLICATION_LIMITS);
    const dealt = dealToThreads(schedule, 4);
    expect(dealt.map((thread) => thread.length)).toEqual([2, 2, 1, 1]);
    expect(dealt[0]![1]!.key).toBe(schedule.fresh[4]!.key);
  });
});
