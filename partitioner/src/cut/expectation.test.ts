import { describe, expect, it } from 'vitest';
import type { StageCost } from '../cost/stage.js';
import { choose, expectationOf, type Candidate, type Expectation } from './expectation.js';

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
  /** One pipeline of these stages, a row a micro-batch. */
  const candidateOf = (stages: StageCost[]): Candidate => ({
    pipelines: 1,
    rows: 1,
    stages,
    oneRow: stages,
    inputBytes: (rows) => rows * 1000,
    resultsStay: false,
    rowsIndependent: false,
  });
  const of = (workers: number, total: number): Expectation => {
    const stages = Array.from({ length: workers }, () => stage(total / workers));
    return expectationOf(candidateOf(stages), budget);
  };

  it('fills messages up to the slice, so that small stages do not waste rounds', () => {
    const four = of(4, 2e9);
    expect((four.inferencesPerRound * 2e9) / 1e9).toBeGreaterThan(12.3);
    expect(of(4, 0.4e9).roundsForOne).toBe(1);
  });

  it('knows that five to seven workers are slower than four', () => {
    const rates = [4, 5, 6, 7].map((workers) => of(workers, workers * 1.9e9));
    const work = rates.map(({ inferencesPerRound, workers }) => inferencesPerRound * workers * 1.9);
    expect(work[0]).toBeGreaterThan(12);
    for (const other of work.slice(1)) expect(other).toBeLessThan(work[0]!);
  });

  it('counts a stage that needs several messages', () => {
    const stages = [stage(3.6e9, 2), stage(3.6e9, 2)];
    const expected = expectationOf(candidateOf(stages), budget);
    // Two rounds of work, and the word that it is done.
    expect(expected.roundsForOne).toBe(3);
    // Two messages of 1.9 B a round.
    expect(expected.inferencesPerRound).toBeLessThanOrEqual(3.8 / 3.6);
  });

  it('tells what several pipelines of the same stages do, and in which requests', () => {
    const candidate = {
      ...candidateOf([stage(1.2e9)]),
      inputBytes: (rows: number) => rows * 200_000,
    };
    const rate = (pipelines: number, rowsIndependent: boolean): Expectation =>
      expectationOf({ ...candidate, pipelines, rowsIndependent }, budget);
    const [one, four] = [rate(1, false), rate(4, false)];
    expect(four.workers).toBe(4);
    expect(four.inferencesPerRound).toBeGreaterThan(2.5 * one.inferencesPerRound);
    expect(one.load.rowsPerRequest).toBe(1);
    // What the coordinator takes for a request is shared by its rows; 1.9 MB hold nine of them.
    const several = rate(4, true);
    expect(several.load.rowsPerRequest).toBe(8);
    expect(several.inferencesPerRound).toBeGreaterThan(four.inferencesPerRound);
  });

  it('prices a thousand inferences', () => {
    const { cyclesPerThousand, usDollarsPerThousand } = of(1, 1e9);
    expect(cyclesPerThousand).toBeGreaterThan(1e12);
    expect(cyclesPerThousand).toBeLessThan(1.08e12);
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
    pipelines: 1,
    rows: 1,
    load: { concurrency: 8, requests: 16, rowsPerRequest: 1 },
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
