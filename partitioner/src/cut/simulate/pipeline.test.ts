import { describe, expect, it } from 'vitest';
import type { Load, PipelineSetting } from './messages.js';
import { simulateLoad } from './pipeline.js';

/** Stages as the planner predicts them, in millions of instructions: work, sending on, pages. */
function setting(
  stages: readonly (readonly [number, number, number])[],
  { resultsStay = false, pipelines = 1 } = {},
): PipelineSetting {
  return {
    stages: stages.map(([work, sending, pages]) => ({
      work: work * 1e6,
      bytesSent: (sending * 1e6) / 50,
      pages: pages * 1e6,
    })),
    pipelines,
    instructionBudget: 1_900_000_000,
    resultsStay,
  };
}

const encoder = setting([
  [582, 10, 27],
  [686, 10, 20],
  [581, 10, 16],
  [688, 0, 20],
]);
const encoderBytes = 3072;
const residual = setting([
  [1554, 241, 21],
  [1739, 120, 24],
  [1790, 50, 23],
  [1756, 0, 51],
]);
const fourEncoders = setting(
  [
    [1269, 10, 42],
    [1269, 0, 31],
  ],
  { pipelines: 4 },
);
const fourResiduals = setting(
  [
    [3464, 80, 24],
    [3370, 0, 65],
  ],
  { pipelines: 4 },
);
const eightReaders = setting([[1260, 53, 20]], { pipelines: 8 });

function load(requests: number, concurrency: number, bytes: number): Load {
  return { requests, concurrency, bytes, microBatches: 1 };
}

describe('a pipeline under load', () => {
  // Counted on the embedded IC: the workers and the coordinator as they are.
  it.each([
    ['a sentence encoder, alone', encoder, load(1, 1, encoderBytes), 2],
    ['a sentence encoder, 8 in flight', encoder, load(64, 8, encoderBytes), 24],
    ['a sentence encoder, all at once', encoder, load(64, 64, encoderBytes), 16],
    ['a sentence encoder, 64 in flight', encoder, load(128, 64, encoderBytes), 32],
    ['ResNet-50, alone', residual, load(1, 1, 602_112), 3],
    ['ResNet-50, all at once', residual, load(32, 32, 602_112), 23],
    ['4 x 2 sentence encoders, all at once', fourEncoders, load(192, 192, encoderBytes), 39],
    ['4 x 2 ResNet-50, all at once', fourResiduals, load(72, 72, 602_112), 41],
    [
      '8 text recognisers, requests of 8 images',
      eightReaders,
      { ...load(40, 40, 8 * 184_320), microBatches: 8 },
      34,
    ],
  ])('%s', (_, pipeline, requests, counted) => {
    const { rounds } = simulateLoad(pipeline, requests);
    expect(Math.abs(rounds - counted)).toBeLessThanOrEqual(counted * 0.1);
  });

  it('answers every request, whatever its stages and load', () => {
    for (const stages of [1, 2, 5, 9]) {
      for (const work of [1, 300, 2500]) {
        for (const resultsStay of [false, true]) {
          for (const pipelines of [1, 3]) {
            const pipeline = setting(
              Array.from({ length: stages }, () => [work, 5, 5] as const),
              { resultsStay: resultsStay && stages > 1, pipelines },
            );
            const outcome = simulateLoad(pipeline, { ...load(20, 7, 1000), microBatches: 3 });
            // A canister works on one message at a time and gets at most 3.8 B of them into a round.
            const least = (20 * 3 * work * 1e6) / 3.8e9 / pipelines;
            expect(outcome.rounds).toBeGreaterThanOrEqual(least);
            expect(outcome.rounds).toBeLessThan(20 * 3 * stages * Math.max(1, work / 1000) + 40);
          }
        }
      }
    }
  });
});
