/** What is shown of models and requests, in the names of `coordinator.did`. */
import {
  maxMessageBytes,
  type InferenceRecord,
  type ModelPage,
  type ModelRecord,
  type MyAccessRecord,
  type RequestRecord,
  type TensorRecord,
  type TensorSpec,
} from '@canopy/protocol';
import { serialOf } from '../access/handles.js';
import { isAnonymous } from '../access/policy.js';
import type { Coordinator } from '../coordinator.js';
import type { PrincipalLike } from '../ic/ic.js';
import type { LoggedRequest } from '../metrics/logged-request.js';
import type { Counters } from '../metrics/requests.js';
import type { Model, ModelRegistry, UnreadableModel } from '../registry/models.js';
import { interfaceBytes, modelsPage, mostInterfaceBytes } from '../registry/pages.js';

function tensorView({ name, dtype, dims }: TensorSpec): TensorRecord {
  return {
    name,
    dtype,
    dims: dims.map((dim) => (typeof dim === 'string' ? { open: dim } : { size: dim })),
  };
}

const nothing = {
  inputs: [],
  outputs: [],
  rows_independent: false,
  micro_batch_rows: 0,
  results: [],
  stages: 0,
  instructions_per_row: 0n,
  input_bytes: 0,
  deployment: 0n,
};

export function modelView(model: Model | UnreadableModel): ModelRecord {
  const { name } = model;
  if (!('interface' in model)) {
    return { name, ...nothing, problem: [model.reason.slice(0, mostReason)] };
  }
  const { interface: told } = model;
  if (interfaceBytes(told) > mostInterfaceBytes) {
    return { name, ...nothing, problem: ['the names of its inputs and outputs are too long'] };
  }
  return {
    name,
    inputs: told.inputs.map(tensorView),
    outputs: told.outputs.map(tensorView),
    rows_independent: told.rowsIndependent,
    micro_batch_rows: told.microBatchRows,
    results: [...told.results],
    stages: told.stageCount,
    instructions_per_row: BigInt(told.instructionsPerRow),
    input_bytes: maxMessageBytes,
    deployment: model.fingerprint,
    problem: [],
  };
}

/** Characters of why a model cannot be read. */
const mostReason = 1000;

export function modelsView(registry: ModelRegistry, after: string | undefined): ModelPage {
  const { models, next } = modelsPage(registry, after);
  return { models: models.map(modelView), next: next === undefined ? [] : [next] };
}

/** The log as its caller may see it: operators all of it, anonymous callers, who are many, nothing. */
export function visibleRequests(
  { ic, policy, requests }: Coordinator,
  limit: number,
  before: bigint | undefined,
): LoggedRequest[] {
  const caller = ic.caller();
  if (policy.covers(caller, 'operator')) return requests.latest(limit, undefined, before);
  return isAnonymous(caller) ? [] : requests.latest(limit, caller, before);
}

/** Bytes of the log in one answer, roughly. */
const logBytes = 1024 * 1024;

/** As many requests as fit an answer. */
export function requestsView(requests: readonly LoggedRequest[]): RequestRecord<PrincipalLike>[] {
  const views: RequestRecord<PrincipalLike>[] = [];
  let bytes = 0;
  for (const request of requests) {
    const texts = request.model.length + (request.error?.message.length ?? 0);
    bytes += 512 + 80 * request.stages.length + 3 * texts;
    if (bytes > logBytes) break;
    views.push(requestView(request));
  }
  return views;
}

function requestView(request: LoggedRequest): RequestRecord<PrincipalLike> {
  const stages: InferenceRecord<PrincipalLike>['stages'] = request.stages.map((stage) => ({
    worker: stage.worker,
    instructions: stage.instructions,
    messages: stage.messages,
    bytes_received: BigInt(stage.bytesReceived),
    bytes_sent: BigInt(stage.bytesSent),
    scratch_bytes: stage.scratchBytes,
  }));
  return {
    // Who sees the log must not reach results of anonymous callers by it.
    ticket: serialOf(request.ticket),
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

export function myAccessView({ ic, policy, usage }: Coordinator): MyAccessRecord {
  const caller = ic.caller();
  const { requests, instructions } = usage.today(caller);
  const role = { [policy.roleOf(caller)]: null } as MyAccessRecord['role'];
  return {
    role,
    quota: policy.quotaOf(caller),
    requests_today: BigInt(requests),
    instructions_today: instructions,
  };
}
