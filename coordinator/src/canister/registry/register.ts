import {
  CanisterError,
  WorkerState,
  byPipeline,
  decodeWorkerStatus,
  parsePlan,
  workerCount,
  type Plan,
  type StagePlan,
} from '@canopy/protocol';
import type { Coordinator } from '../coordinator.js';
import { CoordinatorError, readInput } from '../error.js';
import type { PrincipalLike } from '../ic/ic.js';
import { callWorker } from '../pipeline/call-worker.js';

const hexDigits = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => hexDigits[byte]).join('');
}

function requireController(coordinator: Coordinator, action: string): void {
  const caller = coordinator.ic.caller();
  if (!coordinator.ic.isController(caller)) {
    throw new CoordinatorError(
      CanisterError.notAuthorised,
      `${caller.toText()} may not ${action}: only controllers of the coordinator may`,
    );
  }
}

/** Inputs of the model must reach the head, outputs must leave the last stage. */
function checkEnds(plan: Plan): void {
  const taken = plan.stages[0]!.inputs;
  const given = plan.stages[plan.stages.length - 1]!.outputs;
  const lost =
    taken.find((name) => !plan.inputs.some((spec) => spec.name === name)) ??
    plan.outputs.find((spec) => !given.includes(spec.name))?.name;
  if (lost !== undefined) {
    throw new CoordinatorError(
      CanisterError.badInput,
      `plan: "${lost}" is not both in the model's interface and in that of its first or last stage`,
    );
  }
}

/** Asks a worker what it holds and throws unless it is exactly what the plan wants there. */
async function checkWorker(
  coordinator: Coordinator,
  worker: PrincipalLike,
  stage: StagePlan,
  stageCount: number,
): Promise<void> {
  const bytes = await callWorker(coordinator.ic, worker, stage.index, 'status', new Uint8Array());
  const status = decodeWorkerStatus(bytes);
  const place = `stage ${stage.index} (worker ${worker.toText()})`;
  if (status.state === WorkerState.empty) {
    throw new CoordinatorError(CanisterError.notConfigured, `${place} is not configured`);
  }
  if (status.stageIndex !== stage.index || status.stageCount !== stageCount) {
    throw new CoordinatorError(
      CanisterError.badShard,
      `${place} is configured as stage ${status.stageIndex} of ${status.stageCount}, ` +
        `not ${stage.index} of ${stageCount}`,
    );
  }
  if (status.state !== WorkerState.ready) {
    throw new CoordinatorError(
      CanisterError.notReady,
      `${place} is not ready: it holds ${status.chunksHeld} of ${status.chunkCount} chunks`,
    );
  }
  const hash = toHex(status.shardHash);
  if (hash !== stage.shardHash) {
    throw new CoordinatorError(
      CanisterError.badShard,
      `${place} holds shard ${hash}, the plan wants ${stage.shardHash}`,
    );
  }
}

/**
 * Makes a model known; controllers only. The plan must be readable and each worker ready with the
 * shard the plan names, else nothing is changed.
 */
export async function registerModel(
  coordinator: Coordinator,
  name: string,
  planText: string,
  workers: readonly PrincipalLike[],
): Promise<void> {
  requireController(coordinator, 'register models');
  const plan = readInput(() => parsePlan(planText));
  checkEnds(plan);
  if (name === '') throw new CoordinatorError(CanisterError.badInput, 'the model needs a name');
  if (workers.length !== workerCount(plan)) {
    throw new CoordinatorError(
      CanisterError.badInput,
      `the plan has ${plan.stages.length} stages in ${plan.pipelines} pipelines, ` +
        `but ${workers.length} workers are named`,
    );
  }
  const texts = workers.map((worker) => worker.toText());
  const twice = texts.find((text, index) => texts.indexOf(text) !== index);
  if (twice !== undefined) {
    throw new CoordinatorError(CanisterError.badInput, `worker ${twice} is named twice`);
  }
  const refuseKnown = (): void => {
    if (coordinator.models.has(name)) {
      throw new CoordinatorError(
        CanisterError.modelExists,
        `model "${name}" is registered already: unregister it first, or take another name`,
      );
    }
  };
  refuseKnown();
  await Promise.all(
    byPipeline(workers, plan).flatMap((pipeline) =>
      plan.stages.map((stage) =>
        checkWorker(coordinator, pipeline[stage.index]!, stage, plan.stages.length),
      ),
    ),
  );
  refuseKnown();
  coordinator.models.add({ name, plan, planText, workers });
}

/** Forgets a model; controllers only. Requests under way end as they would have. */
export function unregisterModel(coordinator: Coordinator, name: string): void {
  requireController(coordinator, 'unregister models');
  coordinator.models.get(name);
  coordinator.models.remove(name);
}
