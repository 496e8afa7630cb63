import { describe, expect, test } from 'vitest';
import { moreWorkerIds, samplePlan, workerIds } from '../../testing/fake-ic.js';
import { Model } from './models.js';

function model(pipelines: number): Model {
  const plan = { ...samplePlan(), pipelines };
  const ids = [...workerIds, ...moreWorkerIds];
  const workers = Array.from({ length: pipelines * 2 }, (_, index) => ids[index % ids.length]!);
  return new Model({ name: 'm', plan, planText: JSON.stringify(plan), workers, epoch: 5n });
}

describe('pipelines in turn', () => {
  test.each([
    [1, [[0], [0], [0]]],
    [
      2,
      [
        [0, 1],
        [1, 0],
        [0, 1],
      ],
    ],
    [
      3,
      [
        [0, 1],
        [1, 2],
        [2, 0],
      ],
    ],
  ])('of %i: one is first, the next is asked where that one refuses', (count, expected) => {
    const of = model(count);
    const turns = expected.map(() => of.inTurn().map((pipeline) => of.pipelines.indexOf(pipeline)));
    expect(turns).toEqual(expected);
  });

  test('are found by their heads', () => {
    const of = model(2);
    expect(of.pipelineOf(moreWorkerIds[0]!)).toEqual(moreWorkerIds);
    expect(of.pipelineOf(moreWorkerIds[1]!)).toBeUndefined();
  });
});
