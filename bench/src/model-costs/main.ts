/** `npm run bench:models`: what models take on 1 and on 4 workers, in both schedules. */
import { parseArgs } from 'node:util';
import { modelCost } from '@canopy/partitioner/testing';
import { costedModels } from './models.js';
import { modelCostTable } from './report.js';
import { keepModelCosts, type ModelCost } from './result.js';

const usage = `npm run bench:models [-- options]
  --filter TEXT   only models whose names contain it
  --keep          put the results into bench/results/models.json, for docs/benchmarks.md`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      filter: { type: 'string', default: '' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const chosen = costedModels.filter(({ name }) => name.includes(values.filter));
  if (chosen.length === 0) {
    const names = costedModels.map(({ name }) => name).join('; ');
    throw new Error(`--filter: no model's name contains "${values.filter}"; there are: ${names}`);
  }
  const results: ModelCost[] = [];
  for (const model of chosen) {
    const { name, dims } = model;
    for (const workers of [1, 4]) {
      for (const costSchedule of ['2025-10', '2026-07'] as const) {
        const stages = await modelCost(model.path(), dims, workers, costSchedule);
        const sum = (of: (stage: (typeof stages)[number]) => number): number =>
          stages.reduce((all, stage) => all + of(stage), 0);
        const off = stages.map(({ counted, predicted }) => Math.abs(predicted / counted - 1));
        results.push({
          model: name,
          workers,
          costSchedule,
          multiplyAdds: sum(({ multiplyAdds }) => multiplyAdds),
          instructions: sum(({ counted }) => counted),
          worstPrediction: Number(Math.max(...off).toPrecision(3)),
        });
        process.stderr.write(`${name}, ${workers} workers, ${costSchedule}\n`);
      }
    }
    if (values.keep) {
      keepModelCosts(
        results.filter((one) => one.model === name),
        costedModels.map((one) => one.name),
      );
    }
  }
  console.log(modelCostTable(results));
}

try {
  await main();
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  process.exitCode = 1;
}
