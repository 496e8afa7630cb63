/** Prints the table of models in docs/architecture.md: what each stage counted and was predicted. */
import { CanopySession, deploy } from '@canopy/client';
import { coordinatorWasmGz } from '@canopy/coordinator';
import { planModel } from '@canopy/partitioner';
import { testModels, type TestModel } from '@canopy/pocketic-tests';
import { workerWasmGz } from '@canopy/worker';
import { callerName, EmbeddedIc } from './ic/embedded.js';

const workers = 3;

/** One row of a stage: what it was predicted to cost for one row of the batch, and what it cost. */
async function stageRows(model: TestModel): Promise<string[]> {
  const transport = new EmbeddedIc('2026-07').transport(callerName(0));
  const feeds = model.feeds(1, 0);
  const [first] = Object.values(feeds);
  const planned = await planModel(model.path, {
    name: model.name,
    workers,
    // Predictions are for the sizes that are run.
    dims: openSizes(model, first!.dims),
  });
  const deployment = await deploy(planned, {
    transport,
    modules: { coordinator: coordinatorWasmGz(), worker: workerWasmGz() },
  });
  planned.close();
  const session = await CanopySession.create(deployment, { transport });
  const { detail } = await session.runDetailed(feeds);
  return deployment.plan.stages.map((stage, index) => {
    const counted = Number(detail.stages[index]!.instructions);
    const predicted = stage.predictions[0]!.instructions;
    const perMultiplyAdd =
      stage.multiplyAdds === 0 ? '' : (counted / stage.multiplyAdds).toFixed(2);
    return [
      index === 0 ? model.name : '',
      index,
      stage.nodes,
      (stage.multiplyAdds / 1e6).toFixed(2),
      (counted / 1e6).toFixed(2),
      perMultiplyAdd,
      (predicted / 1e6).toFixed(2),
      `${(100 * (predicted / counted - 1)).toFixed(1)} %`,
    ].join(' | ');
  });
}

/** The model's open sizes, those of the input where its dimensions are the last. */
function openSizes(model: TestModel, dims: readonly number[]): Record<string, number> {
  const names = Object.keys(model.dims);
  return Object.fromEntries(
    names.map((name, index) => [name, dims[dims.length - names.length + index]!]),
  );
}

console.log(
  '| model | stage | nodes | M multiply-adds | M instructions counted | per multiply-add | M predicted | error |',
);
console.log('| --- | --: | --: | --: | --: | --: | --: | --: |');
for (const model of testModels) {
  for (const row of await stageRows(model)) console.log(`| ${row} |`);
}
