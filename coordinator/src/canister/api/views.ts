/** What is shown of models and requests, in the names of `coordinator.did`. */
import type { InferenceRecord, ModelRecord, RequestRecord } from '@canopy/protocol';
import type { PrincipalLike } from '../ic/ic.js';
import type { LoggedRequest } from '../metrics/logged-request.js';
import type { Counters } from '../metrics/requests.js';
import type { Registration } from '../registry/models.js';

export function modelView(model: Registration): ModelRecord<PrincipalLike> {
  return { name: model.name, workers: [...model.workers], plan: model.planText };
}

export function requestView(request: LoggedRequest): RequestRecord<PrincipalLike> {
  const stages: InferenceRecord<PrincipalLike>['stages'] = request.stages.map((stage) => ({
    worker: stage.worker,
    instructions: stage.instructions,
    messages: stage.messages,
    bytes_received: BigInt(stage.bytesReceived),
    bytes_sent: BigInt(stage.bytesSent),
    scratch_bytes: stage.scratchBytes,
  }));
  return {
    ticket: request.ticket,
    model: request.model,
    caller: request.caller,
    received_at_ns: request.receivedAtNs,
    finished_at_ns: request.finishedAtNs === undefined ? [] : [request.finishedAtNs],
    micro_batches: request.microBatches,
    bytes_received: BigInt(request.bytesReceived),
    bytes_sent: BigInt(request.bytesSent),
    stages,
    error: request.error === undefined ? [] : [request.error],
  };
}

export function countersView(
  counters: Counters,
  inFlight: number,
): {
  requests: bigint;
  failed: bigint;
  micro_batches: bigint;
  worker_instructions: bigint;
  in_flight: number;
} {
  return {
    requests: BigInt(counters.requests),
    failed: BigInt(counters.failed),
    micro_batches: BigInt(counters.microBatches),
    worker_instructions: counters.workerInstructions,
    in_flight: inFlight,
  };
}
