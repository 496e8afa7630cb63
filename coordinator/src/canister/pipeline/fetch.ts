import { CanisterError, decodeResult, maxMessageBytes } from '@canopy/protocol';
import { isAnonymous } from '../access/policy.js';
import { callerText } from '../bytes/text-of-bytes.js';
import type { Coordinator } from '../coordinator.js';
import { CoordinatorError } from '../error.js';
import { samePrincipal, type PrincipalLike } from '../ic/ic.js';
import type { Ticket } from '../registry/tickets.js';
import { fetchFromWorkers } from './fetch-from-workers.js';
import { cancelled, logEnd, logFailure, openEntry } from './log-end.js';

export type FetchOutcome =
  | { kind: 'pending'; done: number; total: number }
  | { kind: 'part'; bytes: Uint8Array; total: number };

/** A result was forgotten. */
export interface ReleaseOutcome {
  kind: 'ok';
}

/** What a ticket stands for: a request at the workers, or an answer that is kept here. */
type Found = { ticket: Ticket } | { answer: Uint8Array };

/** Throws `unknown-request` where there is none, or it is somebody else's. */
export function requireTicket({ ic, policy, tickets, answers }: Coordinator, id: bigint): Found {
  const caller = ic.caller();
  // As anonymous, everybody would be an owner on a network where anonymous is one.
  const isTheirs = (owner: PrincipalLike): boolean =>
    samePrincipal(owner, caller) || (!isAnonymous(caller) && policy.covers(caller, 'owner'));
  const ticket = tickets.find(id);
  if (ticket && isTheirs(ticket.caller)) return { ticket };
  const answer = answers.find(id);
  if (answer && isTheirs(answer.caller)) return { answer: answer.bytes };
  throw new CoordinatorError(
    CanisterError.unknownRequest,
    `ticket ${id.toString()} is not known here for this caller: it was released, pushed out by ` +
      `newer ones, or belongs to somebody else`,
  );
}

async function partOf(
  coordinator: Coordinator,
  id: bigint,
  found: Found,
  offset: number,
): Promise<FetchOutcome> {
  if ('answer' in found) {
    const { answer } = found;
    return {
      kind: 'part',
      bytes: answer.subarray(offset, offset + maxMessageBytes),
      total: answer.length,
    };
  }
  const { placed } = found.ticket;
  if (placed === undefined) {
    return { kind: 'pending', done: 0, total: coordinator.requests.find(id)?.microBatches ?? 0 };
  }
  const reply = await fetchFromWorkers(coordinator.ic, placed, offset, maxMessageBytes);
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
  return partOf(coordinator, id, requireTicket(coordinator, id), offset);
}

/** {@link fetchPart}, and logs how the request ended when its whole result is in this part. */
export async function fetchAndLog(
  coordinator: Coordinator,
  id: bigint,
  offset: number,
): Promise<FetchOutcome> {
  const found = requireTicket(coordinator, id);
  const outcome = await partOf(coordinator, id, found, offset);
  const isWhole = outcome.kind === 'part' && offset === 0 && outcome.bytes.length === outcome.total;
  if (isWhole && 'ticket' in found) {
    logEnd(coordinator, found.ticket, decodeResult(outcome.bytes), outcome.total);
  }
  return outcome;
}

/**
 * Has the workers forget a request, or cancel it where it is not done; their answer says how it ended. One
 * on its way to the head is released when the head answers.
 */
function forget(coordinator: Coordinator, { id, placed }: Ticket): void {
  if (placed !== undefined) {
    coordinator.releases.add(placed, id);
    return;
  }
  const entry = openEntry(coordinator, id);
  if (entry !== undefined) logFailure(coordinator, entry, cancelled());
}

/**
 * Forgets a ticket, and has its result forgotten where it is kept; a request that still waits is
 * cancelled. The workers hear of it a little later, see {@link Releases}.
 */
export function release(coordinator: Coordinator, id: bigint): ReleaseOutcome {
  const found = requireTicket(coordinator, id);
  coordinator.tickets.remove(id);
  coordinator.answers.remove(id);
  if ('ticket' in found) forget(coordinator, found.ticket);
  return { kind: 'ok' };
}

/**
 * {@link release} of the caller's request of this number, which may be under way. Where none has come yet, one that comes later
 * is refused.
 */
export function cancel(coordinator: Coordinator, number: bigint): ReleaseOutcome {
  const { ic, numbers, tickets, answers } = coordinator;
  const owner = callerText(ic.caller());
  const known = numbers.find(owner, number);
  if (known === undefined) {
    numbers.add(owner, number, undefined);
    return { kind: 'ok' };
  }
  const { ticket } = known;
  const isHere = ticket !== undefined && (tickets.find(ticket) ?? answers.find(ticket));
  return isHere ? release(coordinator, ticket) : { kind: 'ok' };
}
