import {
  CanisterError,
  WorkerState,
  byPipeline,
  decodeWorkerConfig,
  decodeWorkerStatus,
  interfaceOf,
  maxModelNameBytes,
  parsePlan,
  workerCount,
  type Plan,
  type StagePlan,
  type WorkerConfig,
} from '@canopy/protocol';
import type { Coordinator } from '../coordinator.js';
import { CoordinatorError, readInput } from '../error.js';
import type { PrincipalLike } from '../ic/ic.js';
import type { Pipeline } from './models.js';
import { callWorker } from '../pipeline/call-worker.js';
import { interfaceBytes, mostInterfaceBytes } from './pages.js';

const hexDigits = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => hexDigits[byte]).join('');
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

const utf8 = new TextEncoder();

function checkName(name: string): void {
  if (name === '') throw new CoordinatorError(CanisterError.badInput, 'the model needs a name');
  const { length } = utf8.encode(name);
  if (length <= maxModelNameBytes) return;
  throw new CoordinatorError(
    CanisterError.badInput,
    `the model's name takes ${length} bytes, at most ${maxModelNameBytes} are possible`,
  );
}

/** What is told of a model fits a page. */
function checkInterface(plan: Plan): void {
  const size = interfaceBytes(interfaceOf(plan));
  if (size <= mostInterfaceBytes) return;
  throw new CoordinatorError(
    CanisterError.badInput,
    `plan: the names of inputs and outputs take ${size} bytes, at most ${mostInterfaceBytes} are possible: ` +
      'give them shorter names in the model',
  );
}

const sameBytes = (one: Uint8Array, other: Uint8Array): boolean => toHex(one) === toHex(other);

/** The first field of a worker's configuration that is not as the plan wants it; undefined: all are. */
function differing(
  config: WorkerConfig,
  plan: Plan,
  stage: StagePlan,
  coordinator: PrincipalLike,
  pipeline: Pipeline,
): string | undefined {
  const rowsPerTask = plan.rowsIndependent ? plan.microBatchRows : 0;
  const wanted: [string, number | boolean | bigint, number | boolean | bigint][] = [
    ['shard bytes', config.shardBytes, stage.shardBytes],
    ['chunk bytes', config.chunkBytes, plan.chunkBytes],
    ['instruction budget', config.instructionBudget, BigInt(plan.instructionBudget)],
    ['results stay', config.resultsStay, plan.resultsStay],
    ['pipelines', config.pipelines, plan.pipelines],
    ['rows of a task', config.rowsPerTask, rowsPerTask],
  ];
  for (const [what, has, wants] of wanted) {
    if (has !== wants) return `${what}: ${String(has)} instead of ${String(wants)}`;
  }
  if (!sameBytes(config.coordinator, coordinator.toUint8Array())) {
    return `the coordinator is not ${coordinator.toText()}`;
  }
  const other = pipeline.findIndex(
    (worker, index) => !sameBytes(config.workers[index]!, worker.toUint8Array()),
  );
  return other < 0 ? undefined : `the worker of stage ${other} is not ${pipeline[other]!.toText()}`;
}

/**
 * Asks a worker how it is configured and what it holds, and throws unless both are exactly what the plan
 * wants there. The epoch of its configuration.
 */
async function checkWorker(
  coordinator: Coordinator,
  plan: Plan,
  pipeline: Pipeline,
  stage: StagePlan,
): Promise<bigint> {
  const worker = pipeline[stage.index]!;
  const stageCount = plan.stages.length;
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
  const config = decodeWorkerConfig(status.configuration);
  const difference = differing(config, plan, stage, coordinator.ic.self(), pipeline);
  if (difference !== undefined) {
    throw new CoordinatorError(
      CanisterError.notConfigured,
      `${place} is configured otherwise than the plan wants: ${difference}`,
    );
  }
  return status.epoch;
}

/** The epoch of workers that are all configured alike. */
function commonEpoch(epochs: readonly bigint[]): bigint {
  const [first] = epochs;
  const other = epochs.find((epoch) => epoch !== first);
  if (first !== undefined && other === undefined) return first;
  throw new CoordinatorError(
    CanisterError.otherEpoch,
    `the workers are configured in different epochs, ${String(first)} and ${String(other)}: ` +
      `configure all of them again`,
  );
}

/**
 * Makes a model known. The plan must be readable and each worker ready with the
 * shard the plan names and configured as it wants, else nothing is changed.
 */
export async function registerModel(
  coordinator: Coordinator,
  name: string,
  planText: string,
  workers: readonly PrincipalLike[],
): Promise<void> {
  const plan = readInput(() => parsePlan(planText));
  checkEnds(plan);
  checkName(name);
  checkInterface(plan);
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
  const epochs = await Promise.all(
    byPipeline(workers, plan).flatMap((pipeline) =>
      plan.stages.map((stage) => checkWorker(coordinator, plan, pipeline, stage)),
    ),
  );
  refuseKnown();
  coordinator.models.add({ name, plan, planText, workers, epoch: commonEpoch(epochs) });
  coordinator.requests.sumsOf(name);
}

/** Forgets a model. Requests under way end as they would have. */
export function unregisterModel(coordinator: Coordinator, name: string): void {
  coordinator.models.remove(name);
  coordinator.requests.forget(name);
}
