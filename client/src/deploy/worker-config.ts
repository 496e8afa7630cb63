import { Principal } from '@dfinity/principal';
import {
  byPipeline,
  defaultOpenCalls,
  pipelinePlace,
  type Plan,
  type WorkerConfig,
} from '@canopy/protocol';
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
  /**
   * Seconds after which a request is given up that is not finished.
   * @default 3600
   */
  deadlineSeconds?: number;
  /**
   * Whether heads launch only so many tasks a message that every stage has some; false to compare.
   * @default true
   */
  paced?: boolean;
}

/** 64 bits of a text: two FNV-1a hashes of 32 bits. */
function hashOf(text: string): bigint {
  let low = 0x811c9dc5;
  let high = 0x9dc5811c;
  for (let index = 0; index < text.length; index++) {
    low = Math.imul(low ^ text.charCodeAt(index), 0x01000193);
    high = Math.imul(high ^ text.charCodeAt(index), 0x01000193) ^ (low >>> 15);
  }
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

/**
 * The epoch of a configuration, made of all that workers are told: the same for all of them, the same
 * when an interrupted deployment goes on, and another one where anything differs.
 */
function epochOf(plan: Plan, canisters: readonly string[], settings: readonly number[]): bigint {
  const { chunkBytes, instructionBudget, resultsStay, pipelines, rowsIndependent, microBatchRows } =
    plan;
  const shards = plan.stages.map(({ shardHash, shardBytes }) => [shardHash, shardBytes]);
  const all = [canisters, shards, settings, chunkBytes, instructionBudget, resultsStay];
  const epoch = hashOf(JSON.stringify([...all, pipelines, rowsIndependent, microBatchRows]));
  return epoch === 0n ? 1n : epoch;
}

function bytesOf(canister: string): Uint8Array {
  return Principal.fromText(canister).toUint8Array();
}

/** What the worker at `index` of a deployment whose canisters are all created is told of its place. */
export function workerConfig(
  { plan, coordinator, workers }: Pick<Deployment, 'plan' | 'coordinator' | 'workers'>,
  index: number,
  {
    queueLimit = 512,
    queueLimitPerCaller = 64,
    openCalls = defaultOpenCalls,
    deadlineSeconds = 3600,
    paced = true,
  }: WorkerSettings = {},
): WorkerConfig {
  const place = pipelinePlace(plan, index);
  const stage = plan.stages[place.stage]!;
  const settings = [queueLimit, queueLimitPerCaller, openCalls, deadlineSeconds, Number(paced)];
  return {
    epoch: epochOf(plan, [coordinator!, ...workers], settings),
    stageIndex: stage.index,
    stageCount: plan.stages.length,
    shardBytes: stage.shardBytes,
    chunkBytes: plan.chunkBytes,
    shardHash: fromHex(stage.shardHash),
    instructionBudget: BigInt(plan.instructionBudget),
    queueLimit,
    queueLimitPerCaller,
    openCalls,
    paced,
    resultsStay: plan.resultsStay,
    pipelines: plan.pipelines,
    rowsPerTask: plan.rowsIndependent ? plan.microBatchRows : 0,
    deadlineSeconds,
    coordinator: bytesOf(coordinator!),
    workers: byPipeline(workers, plan)[place.pipeline]!.map(bytesOf),
  };
}
