import { sampleFeeds } from '../graph/measure.js';
import { planModel, type CostScheduleName } from '../index.js';
import { readOnnx } from '../onnx/read-model.js';
import { testModels } from './models.js';
import { shardBytes } from './run-plan.js';
import { WorkersOnIc } from './worker-on-ic.js';

/**
 * Compares predicted with counted instructions, stage by stage: plans each test model, runs it on
 * workers on the embedded IC, and prints a row per stage.
 */
async function compare(name: string, costSchedule: CostScheduleName): Promise<number> {
  const { path, options } = testModels[name]!;
  const planned = await planModel(path, { ...options, costSchedule });
  const shards = await Promise.all(
    planned.plan.stages.map((stage) => shardBytes(planned, stage.index)),
  );
  const ic = new WorkersOnIc(costSchedule);
  const { instructionBudget, resultsStay } = planned.plan;
  const pipeline = ic.deploy(shards, instructionBudget, resultsStay);
  const graph = readOnnx(path);
  let worst = 0;
  const rowCounts = new Set(planned.plan.stages[0]!.predictions.map(({ rows }) => rows));
  for (const rows of rowCounts) {
    const { traces } = pipeline.run(sampleFeeds(graph, planned.plan.typicalDims, rows));
    traces.forEach((trace, index) => {
      const stage = planned.plan.stages[index]!;
      const predicted = stage.predictions.find((prediction) => prediction.rows === rows)!;
      const counted = Number(trace.instructions);
      const off = predicted.instructions / counted - 1;
      worst = Math.max(worst, Math.abs(off));
      const work = stage.multiplyAdds * rows;
      console.log(
        [
          name.padEnd(21),
          costSchedule,
          `rows ${rows}`.padStart(8),
          `stage ${index}`,
          `${stage.nodes} nodes`.padStart(9),
          `${(predicted.instructions / 1e6).toFixed(1)} M predicted`.padStart(18),
          `${(counted / 1e6).toFixed(1)} M counted`.padStart(16),
          `${(off * 100).toFixed(1)} %`.padStart(7),
          work > 0 ? `${(counted / work).toFixed(2)} a multiply-add`.padStart(20) : ''.padStart(20),
          `pages ${(predicted.pageInstructions / 1e6).toFixed(1)} M`,
          `messages ${predicted.messages}/${trace.messages}`,
          `received ${predicted.bytesReceived}/${trace.bytesReceived}`,
          `sent ${predicted.bytesSent}/${trace.bytesSent}`,
          `scratch ${predicted.scratchBytes}/${trace.scratchBytes}`,
        ].join('  '),
      );
    });
  }
  planned.close();
  return worst;
}

let worst = 0;
for (const schedule of ['2025-10', '2026-07'] as const) {
  for (const name of Object.keys(testModels))
    worst = Math.max(worst, await compare(name, schedule));
}
console.log(`at most ${(worst * 100).toFixed(1)} % off`);
