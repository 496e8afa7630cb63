import { describe, expect, it } from 'vitest';
import type { StageCost } from '../cost/stage.js';
import { choose, expectationOf, type Expectation } from './expectation.js';
import { simulateRounds } from './simulate-rounds.js';

const equal = (stages: number, billions: number): number[][] =>
  Array.from({ length: stages }, () => [billions * 1e9]);

describe('rounds of a pipeline', () => {
  // Counted on a PocketIC server: chains of scripted canisters, forward only, paced by the head.
  it.each([
    [2, 48, 0.95, 17],
    [3, 48, 0.95, 17],
    [4, 8, 0.25, 2],
    [4, 64, 0.25, 9],
    [4, 48, 0.6, 13],
    [4, 48, 0.95, 18],
    [4, 8, 1.9, 6],
    [4, 64, 1.9, 34],
    [5, 32, 1.9, 33],
    [5, 48, 0.95, 33],
    [6, 32, 1.9, 34],
    [7, 32, 1.9, 35],
    [8, 32, 0.95, 30],
    [8, 32, 1.9, 36],
    [16, 32, 1.9, 72],
  ])('%i stages, %i tasks of %d B a stage', (stages, tasks, billions, counted) => {
    const predicted = simulateRounds({ stages: equal(stages, billions), tasks });
    expect(Math.abs(predicted - counted)).toBeLessThanOrEqual(counted * 0.02);
  });
});

function stage(instructions: number, messages = 1): StageCost {
  return {
    instructions,
    messages,
    pageInstructions: 0,
    bytesReceived: 1000,
    bytesSent: 1000,
    scratchBytes: 1000,
  };
}

describe('expectation', () => {
  const budget = 1.9e9;
  const of = (workers: number, total: number): Expectation => {
    const stages = Array.from({ length: workers }, () => stage(total / workers));
    return expectationOf({ workers, rows: 1, stages, oneRow: stages }, budget);
  };

  it('fills messages up to the slice, so that small stages do not waste rounds', () => {
    const four = of(4, 0.4e9);
    expect((four.inferencesPerRound * 0.4e9) / 1e9).toBeGreaterThan(13);
    expect(four.roundsForOne).toBe(1);
  });

  it('knows that five to seven workers are slower than four', () => {
    const rates = [4, 5, 6, 7].map((workers) => of(workers, workers * 1.9e9));
    const work = rates.map(({ inferencesPerRound, workers }) => inferencesPerRound * workers * 1.9);
    expect(work[0]).toBeGreaterThan(12);
    for (const other of work.slice(1)) expect(other).toBeLessThan(work[0]!);
  });

  it('counts a stage that needs several messages', () => {
    const stages = [stage(3.6e9, 2), stage(3.6e9, 2)];
    const expected = expectationOf({ workers: 2, rows: 1, stages, oneRow: stages }, budget);
    // Two rounds of work, and the word that it is done.
    expect(expected.roundsForOne).toBe(3);
    expect(expected.inferencesPerRound).toBeLessThanOrEqual(1);
  });

  it('prices a thousand inferences', () => {
    const { cyclesPerThousand, usDollarsPerThousand } = of(1, 1e9);
    expect(cyclesPerThousand).toBeGreaterThan(1e12);
    expect(cyclesPerThousand).toBeLessThan(1.02e12);
    expect(usDollarsPerThousand).toBeCloseTo(cyclesPerThousand * 1.36e-12, 6);
  });
});

describe('choice', () => {
  const candidate = (
    workers: number,
    inferencesPerRound: number,
    roundsForOne: number,
  ): Expectation => ({
    workers,
    rows: 1,
    inferencesPerRound,
    roundsForOne,
    cyclesPerThousand: 0,
    usDollarsPerThousand: 0,
  });
  const all = [candidate(1, 2, 3), candidate(2, 4, 2), candidate(4, 8, 2), candidate(8, 8.1, 1)];

  it('takes the highest rate, but no more workers for next to nothing', () => {
    expect(choose(all, 'throughput').workers).toBe(4);
  });
  it('takes the fewest rounds for one request', () => {
    expect(choose(all, 'latency').workers).toBe(8);
    expect(choose(all.slice(0, 3), 'latency').workers).toBe(2);
  });
});
