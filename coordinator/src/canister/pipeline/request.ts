import {
  CanisterError,
  joinRows,
  parseCanisterError,
  type BundleTensor,
  type EnqueueMode,
  type Result,
} from '@canopy/protocol';
import { admitInputs } from '../admission/inputs.js';
import { readBundle } from '../bytes/bundle-reader.js';
import type { Coordinator } from '../coordinator.js';
import { CoordinatorError, errorRecord, readInput } from '../error.js';
import type { Ic, PrincipalLike } from '../ic/ic.js';
import type { LoggedRequest } from '../metrics/logged-request.js';
import type { Model, Pipeline } from '../registry/models.js';
import { callWorker } from './call-worker.js';
import { cutTasks, encodeTasksForHead } from './enqueue-message.js';

/** The micro-batches of a request, in order, as tensors for the head. */
export function cutRequest({ plan }: Model, inputs: Uint8Array): BundleTensor[][] {
  return readInput(() => {
    const tensors = admitInputs(plan, readBundle(inputs));
    return cutTasks(tensors, plan.rowsIndependent ? plan.microBatchRows : undefined);
  });
}

/** Puts the results of micro-batches together and gives the model's outputs, by name. */
export function joinResult({ plan }: Model, bundles: readonly Uint8Array[]): BundleTensor[] {
  const joined = joinRows(bundles.map(readBundle));
  const given = plan.stages[plan.stages.length - 1]!.outputs;
  return plan.outputs.map(({ name }) => {
    const tensor = joined[given.indexOf(name)];
    if (tensor === undefined) {
      throw new CoordinatorError(
        CanisterError.internal,
        `output "${name}" is not among the tensors the last stage gives: ${given.join(', ')}`,
      );
    }
    return { name, dtype: tensor.dtype, dims: tensor.dims, data: tensor.data };
  });
}

/** The error of a result that says a stage failed. */
export function stageFailure(
  pipeline: Pipeline,
  result: Extract<Result, { status: 'failed' }>,
): CoordinatorError {
  const worker = pipeline[result.stage]?.toText() ?? 'unknown';
  const known = parseCanisterError(result.text);
  return new CoordinatorError(
    known ?? CanisterError.internal,
    `stage ${result.stage} (worker ${worker}): ${known?.message ?? result.text}`,
  );
}

/** A request that the head of a pipeline has been given, and its reply. */
export interface Enqueued {
  model: Model;
  pipeline: Pipeline;
  caller: PrincipalLike;
  entry: LoggedRequest;
  reply: Uint8Array;
}

/**
 * Hands a request to the first of these pipelines that takes it. One that is full or cannot be reached is
 * passed over; where all are, the error of the last is thrown.
 */
async function offer(
  ic: Ic,
  pipelines: readonly Pipeline[],
  request: Uint8Array,
): Promise<Pick<Enqueued, 'pipeline' | 'reply'>> {
  for (let index = 0; ; index++) {
    const pipeline = pipelines[index]!;
    try {
      return { pipeline, reply: await callWorker(ic, pipeline[0]!, 0, 'enqueue', request) };
    } catch (error) {
      const mayTryNext = error instanceof CoordinatorError && error.kind.retryable;
      if (!mayTryNext || index + 1 === pipelines.length) throw error;
    }
  }
}

/**
 * Admits a request, cuts it and hands all its micro-batches to the head of a pipeline in one call.
 * Whatever goes wrong is logged with the request and thrown.
 */
export async function enqueue(
  coordinator: Coordinator,
  mode: keyof typeof EnqueueMode,
  modelName: string,
  inputs: Uint8Array,
): Promise<Enqueued> {
  const { ic, requests } = coordinator;
  const caller = ic.caller();
  coordinator.releases.tell();
  const entry = requests.begin({
    model: modelName,
    caller,
    receivedAtNs: ic.now(),
    microBatches: 0,
    bytesReceived: inputs.length,
  });
  try {
    const model = coordinator.models.get(modelName);
    const tasks = cutRequest(model, inputs);
    entry.microBatches = tasks.length;
    coordinator.ownLoad.add(inputs.length);
    const request = encodeTasksForHead(tasks, {
      epoch: model.epoch,
      mode,
      owner: caller.toUint8Array(),
      coordinatorLoad: coordinator.ownLoad.instructions,
    });
    requests.counters.inFlight++;
    try {
      return { model, caller, entry, ...(await offer(ic, model.inTurn(), request)) };
    } finally {
      requests.counters.inFlight--;
    }
  } catch (error) {
    requests.fail(entry, ic.now(), errorRecord(error));
    throw error;
  }
}
