import { fileURLToPath } from 'node:url';
import { planModel, type PlanOptions } from '@canopy/partitioner';
import { describe, expect, it } from 'vitest';
import { trialRun } from './trial.js';

const model = fileURLToPath(
  new URL('../../pocketic-tests/models/bert-tiny/model.onnx', import.meta.url),
);
const tokens = 32;
const ids = (value: (i: number) => number) => ({
  type: 'int64',
  dims: [2, tokens],
  data: BigInt64Array.from({ length: 2 * tokens }, (_, i) => BigInt(value(i))),
});
const feeds = {
  input_ids: ids((i) => 1 + ((i * 79) % 300)),
  attention_mask: ids(() => 1),
  token_type_ids: ids(() => 0),
};

/** Outputs and instructions of a plan, and what it predicted. */
async function trial(options: PlanOptions) {
  const dims = { batch_size: 2, sequence_length: tokens };
  const planned = await planModel(model, { ...options, dims });
  try {
    const { outputs, detail } = await trialRun(planned, feeds);
    const predicted = planned.plan.stages.map((stage) => stage.predictions.at(-1)!.instructions);
    const measured = detail.stages.map((stage) => Number(stage.instructions));
    return {
      output: outputs.last_hidden_state!.data as Float32Array,
      predicted,
      measured,
      bytes: planned.plan.stages.reduce((sum, stage) => sum + stage.weightsBytes, 0),
    };
  } finally {
    planned.close();
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

describe.each(['int8', 'int4'] as const)('bert-tiny with %s weights', (weights) => {
  it('gives the same bits over 1 and 3 workers, at the predicted cost, close to f32', async () => {
    const float = await trial({ workers: 1 });
    const one = await trial({ workers: 1, weights });
    const three = await trial({ workers: 3, weights });
    expect(three.output).toEqual(one.output);
    for (const { predicted, measured } of [one, three]) {
      measured.forEach((instructions, stage) => {
        expect(Math.abs(predicted[stage]! / instructions - 1)).toBeLessThan(0.05);
      });
    }
    expect(sum(one.measured)).toBeLessThan(0.8 * sum(float.measured));
    expect(one.bytes).toBeLessThan(0.65 * float.bytes);
    const worst = Math.max(...one.output.map((x, i) => Math.abs(x - float.output[i]!)));
    expect(worst).toBeLessThan(weights === 'int8' ? 0.01 : 0.1);
    expect(worst).toBeGreaterThan(0);
  });
});
