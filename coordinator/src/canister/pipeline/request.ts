import {
  CanisterError,
  joinRows,
  type BundleTensor,
  type EnqueueMode,
  type RequestNumber,
} from '@canopy/protocol';
import { admitRequest, type AdmittedRequest } from '../admission/request.js';
import { readBundle } from '../bytes/bundle-reader.js';
import { callerText } from '../bytes/text-of-bytes.js';
import type { Coordinator } from '../coordinator.js';
import { CoordinatorError, errorRecord } from '../error.js';
import { CleanupOnly, type PrincipalLike } from '../ic/ic.js';
import type { Model, Pipeline } from '../registry/models.js';
import type { Ticket } from '../registry/tickets.js';
import { cutTasks, encodeTasksForHead } from './enqueue-message.js';
import { leaves, refuseTicket, waitsForHead, type Admitted } from './hand-over.js';
import { offer } from './offer.js';

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

/** A request that the head of a pipeline has been given, and its reply. */
export interface Enqueued extends Admitted {
  pipeline: Pipeline;
  reply: Uint8Array;
}

/**
 * Admits a request and cuts it. What is wrong with it is thrown. Where its number is known, gives the
 * ticket of the request that came with it before.
 */
export async function admit(
  coordinator: Coordinator,
  modelName: string,
  inputs: Uint8Array,
  number: RequestNumber | undefined,
): Promise<Admitted | { earlier: bigint }> {
  const { ic, requests, usage, handles } = coordinator;
  const caller = ic.caller();
  if (!handles.isReadyFor(caller)) await handles.seed();
  coordinator.releases.tell();
  coordinator.orphans.watch();
  const numbered = number && numberedRequest(coordinator, caller, number, modelName, inputs);
  const earlier = numbered?.earlier();
  if (earlier !== undefined) return { earlier };
  let admitted: AdmittedRequest;
  try {
    admitted = admitRequest(coordinator, caller, modelName, inputs, number);
  } catch (error) {
    requests.refuse(coordinator.models.has(modelName) ? modelName : undefined);
    throw error;
  }
  const { model, tensors, deadlineSeconds, predicted } = admitted;
  const { rowsIndependent, microBatchRows } = model.plan;
  const tasks = cutTasks(tensors, rowsIndependent ? microBatchRows : undefined);
  const charge = usage.charge(caller, predicted);
  const entry = requests.begin(
    {
      ticket: handles.ticketFor(caller, requests.nextSerial()),
      model: modelName,
      caller,
      receivedAtNs: ic.now(),
      microBatches: tasks.length,
      bytesReceived: inputs.length,
    },
    charge,
  );
  const ticket: Ticket = { id: entry.ticket, model: modelName, caller };
  numbered?.begin(ticket);
  coordinator.ownLoad.add(inputs.length, ic.now());
  const refuse = (error: unknown): void => {
    requests.fail(entry, ic.now(), errorRecord(error));
    charge?.giveBack();
    refuseTicket(coordinator, ticket, error, () => numbered?.refuse());
  };
  const isKnown = numbered !== undefined;
  return { model, entry, ticket, isKnown, number: number?.id, tasks, deadlineSeconds, refuse };
}

/**
 * Hands all micro-batches of a request to the head of a pipeline in one call of their own. Where no worker takes
 * it now and one may a little later, it waits, and its caller is to get its ticket.
 */
export async function enqueue(
  coordinator: Coordinator,
  mode: keyof typeof EnqueueMode,
  admitted: Admitted,
): Promise<Enqueued | 'waits'> {
  const { ic, ownLoad, gathered } = coordinator;
  const { model, entry, tasks, deadlineSeconds } = admitted;
  const arrived = leaves(coordinator, entry.caller);
  try {
    const request = encodeTasksForHead(tasks, {
      epoch: model.epoch,
      mode,
      owner: entry.caller.toUint8Array(),
      coordinatorLoad: ownLoad.instructions,
      deadlineSeconds,
    });
    const taken = await offer(ic, model, request);
    gathered.handOver();
    if ('reply' in taken) return { ...admitted, ...taken };
    if (taken.mayPass && waitsForHead(coordinator, admitted, request, taken.refusal))
      return 'waits';
    throw taken.refusal;
  } catch (error) {
    admitted.refuse(error);
    // Nothing can be called while it cleans up after a trap.
    if (!(error instanceof CleanupOnly)) gathered.handOver();
    throw error;
  } finally {
    arrived();
  }
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
  refuse: () => void;
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
    refuse() {
      numbers.free(owner, number.id);
    },
  };
}
