import { describe, expect, it } from 'vitest';
import { Observation } from './observation.js';

const B = 1_000_000_000;

function slice(round: number, iteration: number, canister: string, instructions: number) {
  return { round, iteration, canister, instructions, pageInstructions: 10, heapChangedBytes: 4096 };
}

describe('observation', () => {
  it('weighs the fullness of slices with their instructions', () => {
    const seen = new Observation(['w']);
    seen.add(slice(1, 0, 'w', 2 * B));
    seen.add(slice(2, 0, 'w', B));
    seen.add(slice(2, 1, 'other', 2 * B));
    expect(seen.sliceFullness()).toBeCloseTo((2 * 1 + 1 * 0.5) / 3);
    expect(seen.instructions(['w'])).toBe(3 * B);
    expect(seen.instructions(['w'], { first: 2, last: 2 })).toBe(B);
    expect(seen.pageInstructions(['w', 'other'])).toBe(30);
  });

  it('counts who is at work in an iteration, several messages of one as one', () => {
    const seen = new Observation(['v', 'w']);
    seen.add(slice(1, 0, 'v', B));
    seen.add(slice(1, 0, 'v', B));
    seen.add(slice(1, 1, 'v', B));
    seen.add(slice(1, 1, 'w', B));
    seen.add(slice(1, 2, 'w', 1000));
    expect(seen.atWork()).toEqual([0.5, 0.5]);
  });

  it('is steady from the first answer until the head runs out of work', () => {
    const seen = new Observation(['head', 'last']);
    for (let round = 1; round <= 8; round++) {
      seen.add(slice(round, 0, 'head', round <= 6 ? B : 1000));
      seen.add(slice(round, 0, 'last', B));
    }
    expect(seen.steadyWindow(2)).toEqual({ first: 3, last: 5 });
    expect(seen.steadyWindow(3)).toBeUndefined();
  });

  it('reports the canister that changes most', () => {
    const seen = new Observation(['v', 'w']);
    seen.add(slice(1, 0, 'v', 1));
    seen.add(slice(1, 1, 'w', 1));
    seen.add(slice(2, 0, 'w', 1));
    expect(seen.heapChangedPerRound({ first: 1, last: 2 })).toBe(4096);
  });
});
