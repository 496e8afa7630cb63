import PQueue from 'p-queue';
import { pipelinePlace, placeText, type Plan } from '@canopy/protocol';
import type { RetryOptions } from '../retry.js';
import { retry } from '../retry.js';
import { sha256 } from '../sha256.js';
import type { WorkerClient } from '../worker-client.js';
import { throwIfAborted } from './abort.js';
import type { OnProgress } from './progress.js';

/** A planned model whose shards can be read in parts; the partitioner's `planModel` gives one. */
export interface DeployableModel {
  plan: Plan;
  /**
   * Chunk `index` of a stage's shard: `plan.chunkBytes` long, the last one shorter. Chunks of a shard are
   * asked for in order.
   */
  readShardChunk(stage: number, index: number): Promise<Uint8Array>;
  /** SHA-256 of a chunk, where it is known without reading it. */
  shardChunkHash?(stage: number, index: number): Uint8Array | undefined;
}

export interface UploadOptions {
  /**
   * Chunks under way at once, over all workers.
   * @default 6: two a round, for the three rounds until an answer is there
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

const defaultConcurrency = 6;
/** Workers that are sent to at once: a round takes two chunks, and each worker one of them. */
const workersAtOnce = 4;

/** A chunk for a worker. */
interface Part {
  worker: number;
  index: number;
}

/**
 * Sends each worker the chunks of its shard that it does not hold yet, several at once, each retried with
 * back-off. The first error that is not cured by that stops what has not begun and is thrown.
 */
export async function uploadShards(
  model: DeployableModel,
  workers: readonly WorkerClient[],
  options: UploadOptions = {},
): Promise<void> {
  const upload = new Upload(model, workers, options);
  let missing = await upload.missing();
  upload.report(upload.done === 0 ? 'nothing is there yet' : 'some chunks are there already');
  await upload.send(missing, true);
  // Answers were believed: what did not arrive is sent again, with proof.
  missing = missing.length > 0 ? await upload.missing() : [];
  await upload.send(missing, false);
}

class Upload {
  done = 0;
  private readonly total: number;

  constructor(
    private readonly model: DeployableModel,
    private readonly workers: readonly WorkerClient[],
    private readonly options: UploadOptions,
  ) {
    const { stages, pipelines } = model.plan;
    this.total = pipelines * stages.reduce((sum, { shardBytes }) => sum + shardBytes, 0);
  }

  private stageOf(worker: number): number {
    return pipelinePlace(this.model.plan, worker).stage;
  }

  report(detail: string): void {
    this.options.onProgress?.({ step: 'upload', done: this.done, total: this.total, detail });
  }

  /** The chunks that workers do not hold, in the order in which they are sent. */
  async missing(): Promise<Part[]> {
    const { plan } = this.model;
    const held = await Promise.all(
      this.workers.map((client, worker) =>
        retry(
          placeText(plan, worker),
          () => client.chunksHeld(chunkCount(plan, this.stageOf(worker))),
          this.options.retry,
        ),
      ),
    );
    const missing: Part[] = [];
    this.done = 0;
    held.forEach((chunks, worker) => {
      chunks.forEach((isHeld, index) => {
        if (isHeld) this.done += chunkLength(plan, this.stageOf(worker), index);
        else missing.push({ worker, index });
      });
    });
    return this.inOrder(missing);
  }

  /**
   * A few workers at a time and their chunks in turn, so that each always has one to work on and few
   * shards are being packed. Workers of the same stage come together.
   */
  private inOrder(parts: readonly Part[]): Part[] {
    const byStage = [...this.workers.keys()].sort(
      (a, b) => this.stageOf(a) - this.stageOf(b) || a - b,
    );
    const turns = new Map(byStage.map((worker, turn) => [worker, turn]));
    const groupOf = ({ worker }: Part): number => Math.floor(turns.get(worker)! / workersAtOnce);
    return parts.toSorted(
      (a, b) =>
        groupOf(a) - groupOf(b) || a.index - b.index || turns.get(a.worker)! - turns.get(b.worker)!,
    );
  }

  async send(parts: readonly Part[], unproven: boolean): Promise<void> {
    const queue = new PQueue({ concurrency: this.options.concurrency ?? defaultConcurrency });
    try {
      await queue.addAll(parts.map((part) => () => this.sendOne(part, unproven)));
    } catch (error) {
      queue.clear();
      await queue.onIdle();
      throw error;
    }
  }

  private async sendOne({ worker, index }: Part, unproven: boolean): Promise<void> {
    const { model, options } = this;
    throwIfAborted(options.signal);
    const what = `${placeText(model.plan, worker)}, chunk ${index}`;
    const stage = this.stageOf(worker);
    const bytes = await model.readShardChunk(stage, index);
    const hash = model.shardChunkHash?.(stage, index) ?? (await sha256(bytes));
    const chunk = { index, hash, bytes };
    await retry(what, () => this.workers[worker]!.putChunk(chunk, { unproven }), options.retry);
    this.done += bytes.length;
    this.report(what);
  }
}
