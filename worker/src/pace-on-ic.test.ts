import { EnqueueMode } from '@canopy/protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import { EmbeddedPipeline } from './testing/embedded-ic.js';
import { constantOf } from './testing/limits.js';
import './testing/module.js';
import { heavyBundle, heavyShard } from './testing/pipeline.js';

const chunkBytes = 1_000_000;
/** More than anything but work on a task takes. */
const work = 60_000_000;

describe('stages on the embedded IC', () => {
  it('leave the first three iterations of a round alone, and work in all the others', () => {
    const p = new EmbeddedPipeline([5, 5, 5, 5].map(heavyShard), {}, chunkBytes);
    for (let count = 0; count < 48; count++) p.enqueue(EnqueueMode.ticket, [heavyBundle(26)]);
    // Until all requests are there: the head takes a round in which one comes to be further on.
    for (let round = 0; round < 2; round++) p.round();
    const slices = p.executed(() => {
      for (let round = 0; round < 2; round++) p.round();
    });
    const worked = slices.filter(({ instructions }) => instructions > work);
    for (const { iteration } of worked) expect(iteration).toBeGreaterThanOrEqual(3);
    const rounds = [...new Set(slices.map(({ round }) => round))];
    expect(rounds).toHaveLength(2);
    for (const round of rounds) {
      for (const stage of [0, 1, 2, 3]) {
        const iterations = worked
          .filter((slice) => slice.round === round && slice.stage === stage)
          .map(({ iteration }) => iteration);
        expect(iterations.length).toBeGreaterThan(0);
        expect(iterations).toEqual(iterations.map((_, index) => 3 + index));
      }
    }
  });

  it('work on shorter messages where the coordinator needs room', () => {
    /** Instructions of the longest message of each stage in the first rounds. */
    const longest = (requests: number, rowsOfEach: number, coordinatorLoad: number): number[] => {
      const shards = [24, 24].map(heavyShard);
      const p = new EmbeddedPipeline(shards, { instructionBudget: 1_900_000_000n }, chunkBytes);
      const slices = p.executed(() => {
        for (let count = 0; count < requests; count++) {
          p.enqueue(EnqueueMode.ticket, [heavyBundle(rowsOfEach)], 1n, coordinatorLoad);
        }
        for (let round = 0; round < 3; round++) p.round();
      });
      return [0, 1].map((stage) =>
        Math.max(
          ...slices
            .filter((slice) => slice.stage === stage)
            .map(({ instructions }) => instructions),
        ),
      );
    };
    const room = Number(constantOf('pacing/limits.ts', 'roomOfOneStage'));
    const atLeisure = longest(1, 200, 0);
    const busy = longest(9, 30, 250);
    for (const stage of [0, 1]) {
      expect(atLeisure[stage]).toBeGreaterThan(1_800_000_000);
      expect(atLeisure[stage]).toBeLessThan(1_910_000_000);
      expect(busy[stage]).toBeGreaterThan(room - 250_000_000 - 100_000_000);
      // An operator may go a little beyond.
      expect(busy[stage]).toBeLessThan(room - 250_000_000 + 10_000_000);
    }
  });

  describe('a task that takes nearly a message', () => {
    const tasks = Array.from({ length: 4 }, () => heavyBundle(68));
    /** Messages and instructions of each task of one request in the only stage. */
    const traces = (budget: bigint): { messages: number; instructions: number }[] => {
      const options = { instructionBudget: budget };
      const p = new EmbeddedPipeline([heavyShard(12)], options, chunkBytes);
      return p.doneResult(p.enqueue(EnqueueMode.wait, tasks)).tasks.map((task) => ({
        messages: task.traces[0]!.messages,
        instructions: Number(task.traces[0]!.instructions),
      }));
    };
    let usual = 0;
    beforeAll(() => {
      usual = traces(1_900_000_000n)[1]!.instructions;
    });

    it('is finished in it, though no further task would be begun so late', () => {
      const budget = Math.ceil(usual * 1.002);
      const finishing = Number(constantOf('pacing/tasks.ts', 'finishing'));
      expect(usual).toBeGreaterThan(budget - budget / finishing);
      for (const { messages } of traces(BigInt(budget))) expect(messages).toBe(1);
    });

    it('goes on in the next message where it does not fit', () => {
      for (const { messages } of traces(BigInt(Math.floor(usual * 0.95)))) expect(messages).toBe(2);
    });
  });
});
