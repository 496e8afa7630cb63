import { WorkerState, encodeWorkerConfig, encodeWorkerStatus } from '@canopy/protocol';
import type { Plan, WorkerConfig, WorkerStatus } from '@canopy/protocol';
import type { PrincipalLike } from '../canister/ic/ic.js';

/** The epoch of workers that are ready. */
export const epoch = 5n;

/**
 * The status of the worker of a stage that is ready and configured as the plan wants, but for what is
 * said otherwise. `workers` are those of its pipeline.
 */
export function readyStatus(
  plan: Plan,
  stageIndex: number,
  coordinator: PrincipalLike,
  workers: readonly PrincipalLike[],
  status: Partial<WorkerStatus> = {},
  config: Partial<WorkerConfig> = {},
): Uint8Array {
  const stage = plan.stages[stageIndex]!;
  const shardHash = new Uint8Array(Buffer.from(stage.shardHash, 'hex'));
  const configuration = encodeWorkerConfig({
    epoch: status.epoch ?? epoch,
    stageIndex,
    stageCount: plan.stages.length,
    shardBytes: stage.shardBytes,
    chunkBytes: plan.chunkBytes,
    shardHash,
    instructionBudget: BigInt(plan.instructionBudget),
    queueLimit: 1,
    queueLimitPerCaller: 1,
    openCalls: 1,
    paced: true,
    resultsStay: plan.resultsStay,
    pipelines: plan.pipelines,
    rowsPerTask: plan.rowsIndependent ? plan.microBatchRows : 0,
    deadlineSeconds: 1,
    coordinator: coordinator.toUint8Array(),
    workers: workers.map((worker) => worker.toUint8Array()),
    ...config,
  });
  return encodeWorkerStatus({
    state: WorkerState.ready,
    stageIndex,
    stageCount: plan.stages.length,
    chunksHeld: 1,
    chunkCount: 4,
    shardHash,
    epoch,
    configuration,
    ...status,
  });
}
