import { Principal } from '@dfinity/principal';
import { byPipeline, pipelinePlace, type WorkerConfig } from '@canopy/protocol';
import { fromHex } from '../sha256.js';
import type { Deployment } from './manifest.js';

/** Settings of workers that a plan leaves open. */
export interface WorkerSettings {
  /**
   * Requests that the head of each pipeline keeps waiting, in all and of one caller; more are refused
   * as busy.
   * @default 512 and 64
   */
  queueLimit?: number;
  queueLimitPerCaller?: number;
  /**
   * Calls of `infer` that wait for their result at a time; more get a ticket at once. Many slow the
   * model down for all; callers that cannot fetch by query, as canisters, may want more of them.
   * @default 2
   */
  openCalls?: number;
}

function bytesOf(canister: string): Uint8Array {
  return Principal.fromText(canister).toUint8Array();
}

/** What the worker at `index` of a deployment whose canisters are all created is told of its place. */
export function workerConfig(
  { plan, coordinator, workers }: Pick<Deployment, 'plan' | 'coordinator' | 'workers'>,
  index: number,
  { queueLimit = 512, queueLimitPerCaller = 64, openCalls = 2 }: WorkerSettings = {},
): WorkerConfig {
  const place = pipelinePlace(plan, index);
  const stage = plan.stages[place.stage]!;
  return {
    stageIndex: stage.index,
    stageCount: plan.stages.length,
    shardBytes: stage.shardBytes,
    chunkBytes: plan.chunkBytes,
    shardHash: fromHex(stage.shardHash),
    instructionBudget: BigInt(plan.instructionBudget),
    queueLimit,
    queueLimitPerCaller,
    openCalls,
    paced: true,
    resultsStay: plan.resultsStay,
    pipelines: plan.pipelines,
    coordinator: bytesOf(coordinator!),
    workers: byPipeline(workers, plan)[place.pipeline]!.map(bytesOf),
  };
}
