import {
  CanisterError,
  joinRows,
  parseCanisterError,
  type BundleTensor,
  type EnqueueMode,
  type RequestNumber,
  type Result,
} from '@canopy/protocol';
import { admitInputs } from '../admission/inputs.js';
import { readBundle } from '../bytes/bundle-reader.js';
import { callerText } from '../bytes/text-of-bytes.js';
import type { Coordinator } from '../coordinator.js';
import { CoordinatorError, errorRecord, readInput } from '../error.js';
import type { PrincipalLike } from '../ic/ic.js';
import type { LoggedRequest } from '../metrics/logged-request.js';
import type { Model, Pipeline } from '../registry/models.js';
import { failedResult } from '../registry/answers.js';
import type { Ticket } from '../registry/tickets.js';
import { cutTasks, encodeTasksForHead } from './enqueue-message.js';
import { offer } from './offer.js';

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
  entry: LoggedRequest;
  /** By which it is fetched; known to the caller already where the request has a number. */
  ticket: Ticket;
  isNumbered: boolean;
  reply: Uint8Array;
}

/**
 * Admits a request, cuts it and hands all its micro-batches to the head of a pipeline in one call. What is
 * wrong with the request is thrown; whatever else goes wrong is logged with it too. Where its number is
 * known, gives the ticket of the request that came with it before.
 */
export async function enqueue(
  coordinator: Coordinator,
  mode: keyof typeof EnqueueMode,
  modelName: string,
  inputs: Uint8Array,
  number: RequestNumber | undefined,
): Promise<Enqueued | { earlier: bigint }> {
  const { ic, requests } = coordinator;
  const caller = ic.caller();
  coordinator.releases.tell();
  const numbered = number && numberedRequest(coordinator, caller, number, modelName, inputs);
  const earlier = numbered?.earlier();
  if (earlier !== undefined) return { earlier };
  let model: Model;
  let tasks: BundleTensor[][];
  let deadlineSeconds: number;
  try {
    deadlineSeconds = deadlineOf(number);
    model = coordinator.models.get(modelName);
    tasks = cutRequest(model, inputs);
  } catch (error) {
    requests.refuse();
    throw error;
  }
  const entry = requests.begin({
    model: modelName,
    caller,
    receivedAtNs: ic.now(),
    microBatches: tasks.length,
    bytesReceived: inputs.length,
  });
  const ticket: Ticket = { id: entry.ticket, model: modelName, caller };
  numbered?.begin(ticket);
  coordinator.ownLoad.add(inputs.length, coordinator.ic.now());
  requests.counters.inFlight++;
  try {
    const request = encodeTasksForHead(tasks, {
      epoch: model.epoch,
      mode,
      owner: caller.toUint8Array(),
      coordinatorLoad: coordinator.ownLoad.instructions,
      deadlineSeconds,
    });
    const taken = await offer(ic, model, request);
    return { model, entry, ticket, isNumbered: numbered !== undefined, ...taken };
  } catch (error) {
    requests.fail(entry, ic.now(), errorRecord(error));
    numbered?.refuse(ticket, error);
    throw error;
  } finally {
    requests.counters.inFlight--;
  }
}

/** Seconds that a request may take, as the head is told; 0 where the caller does not say. */
function deadlineOf(number: RequestNumber | undefined): number {
  const seconds = number?.deadline_seconds?.[0];
  if (seconds === 0) {
    throw new CoordinatorError(
      CanisterError.badInput,
      '"deadline_seconds" must be at least 1; leave it out to take as long as the workers are configured for',
    );
  }
  return seconds ?? 0;
}

/** What a request's number asks for, before, and after it was handed to a head. */
function numberedRequest(
  { numbers, tickets, answers }: Coordinator,
  caller: PrincipalLike,
  number: RequestNumber,
  model: string,
  inputs: Uint8Array,
): {
  earlier: () => bigint | undefined;
  begin: (ticket: Ticket) => void;
  refuse: (ticket: Ticket, error: unknown) => void;
} {
  const owner = callerText(caller);
  const asked = { model, inputBytes: inputs.length };
  return {
    earlier() {
      const ticket = numbers.ticketOf(owner, number, asked);
      if (ticket === undefined || tickets.find(ticket) || answers.find(ticket)) return ticket;
      throw new CoordinatorError(
        CanisterError.unknownRequest,
        `request number ${number.id.toString()} was run, and its result was released, or pushed out by ` +
          'newer ones: take another number to run it again',
      );
    },
    begin(ticket) {
      numbers.add(owner, number.id, { ...asked, digest: number.digest, ticket: ticket.id });
      tickets.add(ticket);
    },
    // Who asked again meanwhile has the ticket, and learns of the error by it.
    refuse(ticket, error) {
      // One that was cancelled meanwhile stays so.
      if (tickets.find(ticket.id) === undefined) return;
      numbers.free(owner, number.id);
      tickets.remove(ticket.id);
      answers.add(ticket.id, caller, failedResult(errorRecord(error)));
    },
  };
}
