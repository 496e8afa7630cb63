import { describe, expect, it } from 'vitest';
import { ErrorCode } from '../errors.js';
import { UNIT_OF_WORK, WORKER } from './testing/canisters.js';
import { TestIc } from './testing/test-ic.js';

const number = (reply: Uint8Array): number => Buffer.from(reply).readUInt32LE(0);
/** Argument of `work` for about so many instructions. */
const work = (instructions: number): Uint8Array => {
  const arg = Buffer.alloc(4);
  arg.writeUInt32LE(Math.round(instructions / UNIT_OF_WORK));
  return new Uint8Array(arg);
};
const B = 1e9;

/** Rounds until each of some messages is answered. */
function roundsOf(test: TestIc, ids: readonly Uint8Array[]): number[] {
  const rounds = ids.map(() => 0);
  for (let round = 1; rounds.includes(0); round++) {
    test.ic.tick();
    ids.forEach((id, i) => {
      const { status } = test.status(id);
      if (rounds[i] === 0 && (status === 'replied' || status === 'rejected')) rounds[i] = round;
    });
  }
  return rounds;
}

describe('long messages', () => {
  it('execute a slice of 2 billion instructions a round', () => {
    const test = new TestIc();
    const canister = test.create(WORKER);
    const before = test.ic.cyclesBalance(canister);
    const rounds = roundsOf(test, [test.submit(canister, 'work', work(5 * B))]);
    expect(rounds).toEqual([3]);
    const cost = Number(before - test.ic.cyclesBalance(canister));
    expect(cost).toBeGreaterThan(4.9 * B);
    expect(cost).toBeLessThan(5.1 * B);
  });

  it('show the state before until they end, and hold back other messages', () => {
    const test = new TestIc();
    const canister = test.create(WORKER);
    const long = test.submit(canister, 'work', work(3 * B));
    test.ic.tick();
    expect(test.status(long).status).toBe('processing');
    expect(number(test.query(canister, 'get'))).toBe(0);
    const short = test.submit(canister, 'add');
    expect(roundsOf(test, [long, short])).toEqual([1, 2]);
    expect(number(test.await(long))).toBe(1);
    expect(number(test.await(short))).toBe(2);
  });

  it('do not hold back other canisters', () => {
    const test = new TestIc();
    const [busy, free] = [test.create(WORKER), test.create(WORKER)];
    const long = test.submit(busy, 'work', work(5.5 * B));
    test.ic.tick();
    const short = test.submit(free, 'add');
    expect(roundsOf(test, [long, short])).toEqual([2, 1]);
  });

  it('end at the limit, with nothing changed', () => {
    const test = new TestIc();
    const canister = test.create(WORKER);
    const id = test.submit(canister, 'work', new Uint8Array(4));
    expect(roundsOf(test, [id])).toEqual([20]);
    expect(test.failure(() => test.await(id)).code).toBe(
      ErrorCode.CanisterInstructionLimitExceeded,
    );
    expect(number(test.query(canister, 'get'))).toBe(0);
  });

  it('of more than four canisters take turns', () => {
    const test = new TestIc();
    const canisters = Array.from({ length: 6 }, () => test.create(WORKER));
    const ids = canisters.map((canister) => test.submit(canister, 'work', work(3 * B)));
    const rounds = roundsOf(test, ids);
    expect(Math.max(...rounds)).toBeGreaterThan(2);
    expect(rounds.filter((round) => round === 2).length).toBeLessThanOrEqual(4);
    for (const id of ids) expect(number(test.await(id))).toBe(1);
  });
});

describe('a round', () => {
  it('starts messages on four threads while less than 2 billion instructions are used on each', () => {
    const test = new TestIc();
    const canisters = Array.from({ length: 12 }, () => test.create(WORKER));
    const ids = canisters.map((canister) => test.submit(canister, 'work', work(1.1 * B)));
    const rounds = roundsOf(test, ids);
    expect(rounds.filter((round) => round === 1)).toHaveLength(8);
    expect(rounds.filter((round) => round === 2)).toHaveLength(4);
  });
});
