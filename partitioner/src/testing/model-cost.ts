import { sampleFeeds } from '../graph/measure.js';
import type { CostScheduleName } from '../cost/model.js';
import { readOnnx } from '../onnx/read-model.js';
import { planModel } from '../plan-model.js';
import { shardBytes } from './run-plan.js';
import { WorkersOnIc } from './worker-on-ic.js';

/** One row through one stage: what its worker counted over all messages, and what was predicted. */
export interface StageCost {
  multiplyAdds: number;
  counted: number;
  predicted: number;
}

/**
 * Plans a model and runs one row of made-up inputs through its stages on the embedded IC.
 *
 * @param dims sizes of open dimensions
 * Throws what planning throws, and Error with the worker's text.
 */
export async function modelCost(
  path: string,
  dims: Readonly<Record<string, number>>,
  workers: number,
  costSchedule: CostScheduleName,
): Promise<StageCost[]> {
  const planned = await planModel(path, { workers, dims: { ...dims }, costSchedule });
  try {
    const { stages, instructionBudget, resultsStay, typicalDims } = planned.plan;
    const shards = await Promise.all(stages.map(({ index }) => shardBytes(planned, index)));
    const pipeline = new WorkersOnIc(costSchedule).deploy(shards, instructionBudget, resultsStay);
    const { traces } = pipeline.run(sampleFeeds(readOnnx(path), typicalDims, 1));
    return traces.map(({ instructions }, index) => {
      const { multiplyAdds, predictions } = stages[index]!;
      const one = predictions.find(({ rows }) => rows === 1) ?? predictions[0]!;
      return { multiplyAdds, counted: Number(instructions), predicted: one.instructions };
    });
  } finally {
    planned.close();
  }
}
