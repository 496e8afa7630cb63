import {
  CanisterError,
  decodeFetchReply,
  decodeResult,
  encodeFetch,
  maxMessageBytes,
  type FetchReply,
} from '@canopy/protocol';
import type { Coordinator } from '../coordinator.js';
import { CoordinatorError, errorRecord } from '../error.js';
import { samePrincipal } from '../ic/ic.js';
import type { Place, Ticket } from '../registry/tickets.js';
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

const headOf = ({ head }: Ticket): Place => ({ worker: head, stage: 0 });

/**
 * Asks where the result is kept; what is not there, the head: it waits, or failed. Where the head does
 * not know it any more, it was done in between, or is lost.
 */
async function fetchReply(
  { ic }: Coordinator,
  ticket: Ticket,
  offset: number,
): Promise<FetchReply> {
  const request = encodeFetch(ticket.epoch, ticket.requestId, offset, maxMessageBytes);
  const ask = async ({ worker, stage }: Place): Promise<FetchReply> =>
    decodeFetchReply(await callWorker(ic, worker, stage, 'fetch', request));
  const { keeper } = ticket;
  const kept = await ask(keeper);
  if (kept.finished || keeper.stage === 0) return kept;
  try {
    return await ask(headOf(ticket));
  } catch (error) {
    if (!isUnknownRequest(error)) throw error;
    const again = await ask(keeper);
    if (again.finished) return again;
    throw error;
  }
}

async function partOf(
  coordinator: Coordinator,
  ticket: Ticket,
  offset: number,
): Promise<FetchOutcome> {
  const reply = await fetchReply(coordinator, ticket, offset);
  if (reply.finished) return { kind: 'part', bytes: reply.part, total: reply.byteLength };
  const state = decodeResult(reply.part);
  return state.status === 'pending'
    ? { kind: 'pending', done: state.tasksDone, total: state.taskCount }
    : { kind: 'pending', done: 0, total: 0 };
}

/** Part of a finished result from `offset` on, as much as a reply holds. Changes nothing. */
export async function fetchPart(
  coordinator: Coordinator,
  id: bigint,
  offset: number,
): Promise<FetchOutcome> {
  return partOf(coordinator, ticketOf(coordinator, id), offset);
}

/** {@link fetchPart}, and logs how the request ended when its whole result is in this part. */
export async function fetchAndLog(
  coordinator: Coordinator,
  id: bigint,
  offset: number,
): Promise<FetchOutcome> {
  const ticket = ticketOf(coordinator, id);
  const outcome = await partOf(coordinator, ticket, offset);
  const entry = coordinator.requests.find(id);
  if (outcome.kind === 'pending' || entry === undefined || entry.finishedAtNs !== undefined) {
    return outcome;
  }
  if (offset + outcome.bytes.length < outcome.total) return outcome;
  const now = coordinator.ic.now();
  const workers = coordinator.models.has(entry.model)
    ? (coordinator.models.get(entry.model).pipelineOf(ticket.head) ?? [])
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

/**
 * Forgets a ticket, and has its result forgotten where it is kept; a request that still waits is
 * cancelled. The workers hear of it a little later, see {@link Releases}.
 */
export function release(coordinator: Coordinator, id: bigint): ReleaseOutcome {
  const ticket = ticketOf(coordinator, id);
  coordinator.tickets.remove(id);
  coordinator.releases.add(ticket);
  const entry = coordinator.requests.find(id);
  // Results read by queries leave no trace: releasing is the last thing known of such a request.
  if (entry && entry.finishedAtNs === undefined) {
    coordinator.requests.succeed(entry, coordinator.ic.now(), [], [], 0);
  }
  return { kind: 'ok' };
}
