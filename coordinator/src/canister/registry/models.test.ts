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
    const turns = expected.map(() =>
      of.inTurn(0n).map((pipeline) => of.pipelines.indexOf(pipeline)),
    );
    expect(turns).toEqual(expected);
  });

  const second = 1_000_000_000n;

  test('one that fails comes last, and is tried first after a while, less and less often', () => {
    const of = model(2);
    const [first] = of.pipelines;
    const firstIn = (nowNs: bigint): number[] =>
      [0, 1].map(() => of.pipelines.indexOf(of.inTurn(nowNs)[0]!));
    of.fails(first!, 0n);
    expect(firstIn(9n * second)).toEqual([1, 1]);
    expect(firstIn(10n * second)).toEqual([0, 0]);
    of.fails(first!, 10n * second);
    expect(firstIn(29n * second)).toEqual([1, 1]);
    expect(firstIn(30n * second)).toEqual([0, 0]);
    of.answers(first!);
    expect(firstIn(30n * second)).toEqual([0, 1]);
  });

  test('where all fail, requests are offered all the same', () => {
    const of = model(2);
    for (const pipeline of of.pipelines) of.fails(pipeline, 0n);
    expect(of.inTurn(1n)).toHaveLength(2);
  });

  test('are found by their heads', () => {
    const of = model(2);
    expect(of.pipelineOf(moreWorkerIds[0]!)).toEqual(moreWorkerIds);
    expect(of.pipelineOf(moreWorkerIds[1]!)).toBeUndefined();
  });
});
