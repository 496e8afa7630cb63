import {
  ByteWriter,
  CanisterError,
  decodeFetchReply,
  decodeResult,
  encodeFetch,
  maxMessageBytes,
} from '@canopy/protocol';
import type { Coordinator } from '../coordinator.js';
import { CoordinatorError, errorRecord } from '../error.js';
import { samePrincipal } from '../ic/ic.js';
import type { Ticket } from '../registry/tickets.js';
import { callWorker } from './call-worker.js';
import { stageFailure } from './request.js';
import { sumTraces } from './stages.js';

export type FetchOutcome =
  | { kind: 'pending'; done: number; total: number }
  | { kind: 'part'; bytes: Uint8Array; total: number };

/** A result was forgotten. */
export interface ReleaseOutcome {
  kind: 'ok';
}

/** Throws `unknown-request` where there is none, or it is somebody else's. */
function ticketOf({ ic, tickets }: Coordinator, id: bigint): Ticket {
  const caller = ic.caller();
  const ticket = tickets.find(id);
  if (ticket && (samePrincipal(ticket.caller, caller) || ic.isController(caller))) return ticket;
  throw new CoordinatorError(
    CanisterError.unknownRequest,
    `ticket ${id.toString()} is not known here for this caller: it was released, pushed out by ` +
      `newer ones, or belongs to somebody else`,
  );
}

/** Part of a finished result from `offset` on, as much as a reply holds. Changes nothing. */
export async function fetchPart(
  coordinator: Coordinator,
  id: bigint,
  offset: number,
): Promise<FetchOutcome> {
  const ticket = ticketOf(coordinator, id);
  const request = encodeFetch(ticket.requestId, offset, maxMessageBytes);
  const reply = decodeFetchReply(
    await callWorker(coordinator.ic, ticket.head, 0, 'fetch', request),
  );
  if (reply.finished) return { kind: 'part', bytes: reply.part, total: reply.byteLength };
  const state = decodeResult(reply.part);
  return state.status === 'pending'
    ? { kind: 'pending', done: state.tasksDone, total: state.taskCount }
    : { kind: 'pending', done: 0, total: 0 };
}

/** {@link fetchPart}, and logs how the request ended when its whole result is in this part. */
export async function fetchAndLog(
  coordinator: Coordinator,
  id: bigint,
  offset: number,
): Promise<FetchOutcome> {
  const outcome = await fetchPart(coordinator, id, offset);
  const entry = coordinator.requests.find(id);
  if (outcome.kind === 'pending' || entry === undefined || entry.finishedAtNs !== undefined) {
    return outcome;
  }
  if (offset + outcome.bytes.length < outcome.total) return outcome;
  const now = coordinator.ic.now();
  const workers = coordinator.models.has(entry.model)
    ? coordinator.models.get(entry.model).workers
    : [];
  const result = offset === 0 ? decodeResult(outcome.bytes) : undefined;
  if (result?.status === 'failed') {
    coordinator.requests.fail(entry, now, errorRecord(stageFailure(workers, result)));
  } else {
    const tasks = result?.status === 'done' ? result.tasks : [];
    const stages = sumTraces(tasks, workers).filter((_, stage) => stage < workers.length);
    coordinator.requests.succeed(entry, now, stages, workers, outcome.total);
  }
  return outcome;
}

function isUnknownRequest(error: unknown): boolean {
  return error instanceof CoordinatorError && error.kind.code === CanisterError.unknownRequest.code;
}

/** Forgets a result, here and in the head; a request that still waits is cancelled. */
export async function release(coordinator: Coordinator, id: bigint): Promise<ReleaseOutcome> {
  const ticket = ticketOf(coordinator, id);
  const request = new ByteWriter().u64(ticket.requestId).finish();
  try {
    await callWorker(coordinator.ic, ticket.head, 0, 'release', request);
  } catch (error) {
    if (!isUnknownRequest(error)) throw error;
  }
  coordinator.tickets.remove(id);
  const entry = coordinator.requests.find(id);
  // Results read by queries leave no trace: releasing is the last thing known of such a request.
  if (entry && entry.finishedAtNs === undefined) {
    coordinator.requests.succeed(entry, coordinator.ic.now(), [], [], 0);
  }
  return { kind: 'ok' };
}
