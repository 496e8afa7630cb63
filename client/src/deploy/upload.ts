import PQueue from 'p-queue';
import { pipelinePlace, type Plan } from '@canopy/protocol';
import type { RetryOptions } from '../retry.js';
import { retry } from '../retry.js';
import { sha256 } from '../sha256.js';
import type { WorkerClient } from '../worker-client.js';
import { throwIfAborted } from './abort.js';
import { placeText } from './place.js';
import type { OnProgress } from './progress.js';

/** A planned model whose shards can be read in parts; the partitioner's `planModel` gives one. */
export interface DeployableModel {
  plan: Plan;
  /** Chunk `index` of a stage's shard: `plan.chunkBytes` long, the last one shorter. */
  readShardChunk(stage: number, index: number): Promise<Uint8Array>;
}

export interface UploadOptions {
  /**
   * Chunks under way at once, over all workers.
   * @default 4
   */
  concurrency?: number;
  retry?: RetryOptions;
  onProgress?: OnProgress;
  /** Ends the upload: no further chunk is sent, and `aborted` is thrown. */
  signal?: AbortSignal;
}

export function chunkCount(plan: Plan, stage: number): number {
  return Math.ceil(plan.stages[stage]!.shardBytes / plan.chunkBytes);
}

function chunkLength(plan: Plan, stage: number, index: number): number {
  return Math.min(plan.chunkBytes, plan.stages[stage]!.shardBytes - index * plan.chunkBytes);
}

/**
 * Sends each worker the chunks of its shard that it does not hold yet, in parallel, each retried with
 * back-off. The first error that is not cured by that stops what has not begun and is thrown.
 */
export async function uploadShards(
  model: DeployableModel,
  workers: readonly WorkerClient[],
  options: UploadOptions = {},
): Promise<void> {
  const { plan } = model;
  const stageOf = (worker: number): number => pipelinePlace(plan, worker).stage;
  const total = plan.pipelines * plan.stages.reduce((sum, { shardBytes }) => sum + shardBytes, 0);
  const missing: { worker: number; index: number }[] = [];
  let done = 0;
  const held = await Promise.all(
    workers.map((client, worker) =>
      retry(
        placeText(plan, worker),
        () => client.chunksHeld(chunkCount(plan, stageOf(worker))),
        options.retry,
      ),
    ),
  );
  held.forEach((chunks, worker) => {
    chunks.forEach((isHeld, index) => {
      if (isHeld) done += chunkLength(plan, stageOf(worker), index);
      else missing.push({ worker, index });
    });
  });
  // Chunks of all workers in turn, so that each canister always has one to work on.
  missing.sort((one, other) => one.index - other.index || one.worker - other.worker);
  const report = (detail: string): void => {
    options.onProgress?.({ step: 'upload', done, total, detail });
  };
  report(done === 0 ? 'nothing is there yet' : 'some chunks are there already');

  const queue = new PQueue({ concurrency: options.concurrency ?? 4 });
  const tasks = missing.map(({ worker, index }) => async (): Promise<void> => {
    throwIfAborted(options.signal);
    const what = `${placeText(plan, worker)}, chunk ${index}`;
    const bytes = await model.readShardChunk(stageOf(worker), index);
    const hash = await sha256(bytes);
    await retry(what, () => workers[worker]!.putChunk({ index, hash, bytes }), options.retry);
    done += bytes.length;
    report(what);
  });
  try {
    await queue.addAll(tasks);
  } catch (error) {
    queue.clear();
    await queue.onIdle();
    throw error;
  }
}
