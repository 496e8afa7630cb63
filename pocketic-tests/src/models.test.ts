import type { PocketIc } from '@dfinity/pic';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectEqualTensors, reference } from './compare.js';
import { createIc, deployModel } from './deployment.js';
import { testModels } from './models.js';

describe('models equal onnxruntime', () => {
  let pic: PocketIc;
  let coordinator: string | undefined;

  beforeAll(async () => {
    pic = await createIc();
  });
  afterAll(() => pic.tearDown());

  describe.each(testModels)('$name', (model) => {
    it.each([1, 3])('on %i worker(s)', async (workers) => {
      const name = `${model.name}-${workers}`;
      const { session, deployment } = await deployModel(pic, model, {
        workers,
        name,
        ...(coordinator !== undefined && { coordinator }),
      });
      coordinator ??= deployment.coordinator;
      expect(deployment.workers).toHaveLength(workers);

      for (const [rows, seed] of [
        [1, 0],
        [1, 1],
        [3, 2],
      ] as const) {
        const feeds = model.feeds(rows, seed);
        const [given, expected] = [await session.run(feeds), await reference(model.path, feeds)];
        expect(Object.keys(given).sort()).toEqual(Object.keys(expected).sort());
        for (const [output, tensor] of Object.entries(expected)) {
          expectEqualTensors(`${name}, ${rows} row(s): ${output}`, given[output]!, tensor);
        }
        expect(session.lastRun!.stages).toHaveLength(workers);
        for (const stage of session.lastRun!.stages) {
          expect(stage.instructions).toBeGreaterThan(0n);
          expect(stage.bytesReceived).toBeGreaterThan(0n);
        }
      }
    });
  });
});
