import { splitRows } from '@canopy/protocol';
import { describe, expect, it } from 'vitest';
import { sampleFeeds } from '../graph/measure.js';
import { planModel } from '../index.js';
import { readOnnx } from '../onnx/read-model.js';
import { testModels } from './models.js';
import { shardBytes } from './run-plan.js';
import { WorkersOnIc, type Pipeline } from './worker-on-ic.js';

const instructionsOf = (results: ReturnType<Pipeline['runTogether']>): number =>
  results
    .flatMap(({ traces }) => traces)
    .reduce((sum, { instructions }) => sum + Number(instructions), 0);

describe('rows of several callers in one task', () => {
  it.each(['digits-cnn', 'resnet-tiny', 'bert-tiny'])(
    'of %s give the bits that each gives alone, for fewer instructions',
    async (name) => {
      const { path, options } = testModels[name]!;
      const planned = await planModel(path, { ...options, costSchedule: '2026-07' });
      try {
        const { plan } = planned;
        expect(plan.rowsIndependent).toBe(true);
        const shards = await Promise.all(
          plan.stages.map(({ index }) => shardBytes(planned, index)),
        );
        const ic = new WorkersOnIc('2026-07');
        const deploy = (rowsPerTask: number): Pipeline =>
          ic.deploy(shards, plan.instructionBudget, plan.resultsStay, rowsPerTask);
        const feeds = sampleFeeds(readOnnx(path), plan.typicalDims, 6);
        const parts = [...splitRows(feeds, 1), ...splitRows(feeds, 3)].map((part) =>
          // As the coordinator sends them: without names, in the order of the first stage.
          plan.stages[0]!.inputs.map((input) => ({
            ...part.find((tensor) => tensor.name === input)!,
            name: '',
          })),
        );
        const alone = deploy(0).runTogether(parts);
        const together = deploy(8).runTogether(parts);
        for (const [index, { outputs, traces }] of together.entries()) {
          expect(outputs).toEqual(alone[index]!.outputs);
          expect(traces).toHaveLength(plan.stages.length);
        }
        expect(instructionsOf(together)).toBeLessThan(instructionsOf(alone));
      } finally {
        planned.close();
      }
    },
  );
});
