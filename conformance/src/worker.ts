import { encodeBundle, decodeBundle, EnqueueMode, type BundleTensor } from '@canopy/protocol';
import { PartitionError, planModel, type PlannedModel } from '@canopy/partitioner';
import { cut, Pipeline, TestIc, workerModule, type Shard } from '@canopy/worker/testing';

/** A model that workers do not run. */
export class Unsupported extends Error {
  override readonly name = 'Unsupported';
  constructor(
    message: string,
    /** Operators that are missing, or forms of them. */
    readonly operators: readonly string[],
  ) {
    super(message);
  }
}

/**
 * Plans a model; with the inputs as samples where it cannot be planned without, and for fewer workers where
 * it has fewer operations.
 */
async function plan(
  model: string,
  workers: number,
  inputs: readonly BundleTensor[],
  samples: readonly BundleTensor[] = [],
): Promise<PlannedModel> {
  try {
    return await planModel(model, { workers, samples });
  } catch (error) {
    if (!(error instanceof PartitionError)) throw error;
    if (error.code === 'does-not-fit' && workers > 1) {
      return plan(model, workers - 1, inputs, samples);
    }
    if (error.code !== 'cannot-run' || samples === inputs) throw error;
    return plan(model, workers, inputs, inputs);
  }
}

async function shardOf(planned: PlannedModel, stage: number): Promise<Shard> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of planned.writeShard(stage)) chunks.push(chunk);
  return cut(new Uint8Array(Buffer.concat(chunks)));
}

/**
 * Plans a model for so many workers and runs it in the worker's module, one instance a worker.
 *
 * @param dataSets inputs in the model's order, for each run
 * @returns outputs of each run, in the model's order
 *
 * Throws {@link Unsupported}, and Error with the worker's text where a run fails.
 */
export async function runOnWorkers(
  model: string,
  inputNames: readonly string[],
  dataSets: readonly (readonly BundleTensor[])[],
  workers: number,
): Promise<BundleTensor[][]> {
  const named = dataSets.map((inputs) =>
    inputs.map((tensor, index) => ({ ...tensor, name: inputNames[index] ?? `${index}` })),
  );
  let planned: PlannedModel;
  try {
    planned = await plan(model, workers, named[0] ?? []);
  } catch (error) {
    if (!(error instanceof PartitionError) || error.code !== 'unsupported') throw error;
    throw new Unsupported(error.message, error.problems?.map(({ op }) => op) ?? []);
  }
  try {
    const { stages, inputs } = planned.plan;
    const pipeline = new Pipeline(
      new TestIc(workerModule),
      stages.map(() => 0),
    );
    for (const { index } of stages) pipeline.shards[index] = await shardOf(planned, index);
    for (const worker of pipeline.workers) worker.mayTrap = false;
    pipeline.deploy();
    return named.map((feeds) => {
      const wanted = inputs.map(({ name }) => feeds.find((feed) => feed.name === name)!);
      const call = pipeline.enqueue(EnqueueMode.wait, 1n, [encodeBundle(wanted)]);
      pipeline.ic.runUntil(() => call.answer !== undefined);
      const result = pipeline.resultOf(call.answer);
      if (result?.status !== 'done') {
        throw new Error(result?.status === 'failed' ? result.text : 'no result');
      }
      return decodeBundle(result.tasks[0]!.bundle);
    });
  } finally {
    planned.close();
  }
}
