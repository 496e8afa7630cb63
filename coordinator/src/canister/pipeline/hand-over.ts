/** What becomes of requests on their way to a head: they are counted, and have their place when it took them. */
import type { BundleTensor } from '@canopy/protocol';
import { callerText } from '../bytes/text-of-bytes.js';
import type { Coordinator } from '../coordinator.js';
import { errorRecord, type CoordinatorError } from '../error.js';
import type { PrincipalLike } from '../ic/ic.js';
import { failedResult } from '../registry/answers.js';
import type { LoggedRequest } from '../metrics/logged-request.js';
import type { Model, Pipeline } from '../registry/models.js';
import { keeperOf, type Ticket } from '../registry/tickets.js';
import { encodeRun, runBytes, runWithTicket } from './enqueue-message.js';
import type { Together, Waiter } from './waiting.js';

const secondNs = 1_000_000_000n;

/** A request that was admitted, and is logged. */
export interface Admitted {
  model: Model;
  entry: LoggedRequest;
  /** By which it is fetched. */
  ticket: Ticket;
  /** Whether the caller has the ticket already, or can have it by the request's number. */
  isKnown: boolean;
  /** Its number, where it has one. */
  number?: bigint | undefined;
  tasks: BundleTensor[][];
  deadlineSeconds: number;
  /** No head takes it. */
  refuse: (error: unknown) => void;
}

/** Counts a request that is on its way to a head; what is given ends that. */
export function leaves({ inFlight, usage }: Coordinator, caller: PrincipalLike): () => void {
  const name = callerText(caller);
  usage.leaves(name);
  const ends = inFlight.begin();
  return () => {
    usage.arrived(name);
    ends();
  };
}

/**
 * Notes where a request waits, by the head's number of it. One that was cancelled on its way to the head
 * is cancelled there.
 */
export function place(
  { tickets, releases }: Coordinator,
  { model, ticket, isKnown }: Pick<Admitted, 'model' | 'ticket' | 'isKnown'>,
  pipeline: Pipeline,
  requestId: bigint,
): void {
  const { epoch } = model;
  const placed = { head: pipeline[0]!, keeper: keeperOf(model.plan, pipeline), requestId, epoch };
  if (!isKnown) tickets.add(ticket);
  else if (tickets.find(ticket.id) !== ticket) releases.add(placed, ticket.id);
  ticket.placed = placed;
}

/** Who has a ticket of a request that no head takes learns of the error by it. */
export function refuseTicket(
  { tickets, answers }: Coordinator,
  ticket: Ticket,
  error: unknown,
  freeNumber: () => void,
): void {
  // One that was cancelled meanwhile stays so.
  if (tickets.find(ticket.id) === undefined) return;
  freeNumber();
  tickets.remove(ticket.id);
  answers.add(ticket.id, ticket.caller, failedResult(errorRecord(error)));
}

/** What a request that goes with others is, besides what becomes of it. */
type Going = Omit<Together, 'isWanted' | 'taken' | 'refused'> & Pick<Admitted, 'refuse'>;

/** Counts a request that is on its way with others, whose ticket its caller has. */
function together(coordinator: Coordinator, { refuse, ...going }: Going): Together {
  const { model, ticket } = going;
  const arrived = leaves(coordinator, ticket.caller);
  return {
    ...going,
    isWanted: () => coordinator.tickets.find(ticket.id) === ticket,
    taken(pipeline, requestId) {
      arrived();
      place(coordinator, { model, ticket, isKnown: true }, pipeline, requestId);
    },
    refused(error) {
      arrived();
      refuse(error);
    },
  };
}

/** A request whose caller is about to get its ticket, and its bytes as {@link encodeRun} gives them. */
function withTicket(coordinator: Coordinator, admitted: Admitted, run: Uint8Array): Together {
  const { model, entry, ticket, isKnown, number, deadlineSeconds, refuse } = admitted;
  if (!isKnown) coordinator.tickets.add(ticket);
  const deadlineNs =
    deadlineSeconds === 0 ? undefined : entry.receivedAtNs + BigInt(deadlineSeconds) * secondNs;
  return together(coordinator, { model, ticket, number, run, deadlineNs, refuse });
}

/** Has a request go to a head together with others, unless it is one of those that go alone. */
export function goesTogether(coordinator: Coordinator, admitted: Admitted): boolean {
  const { gathered } = coordinator;
  const { model, entry, tasks, deadlineSeconds } = admitted;
  if (!gathered.takes(model, runBytes(tasks))) return false;
  const owner = entry.caller.toUint8Array();
  const run = encodeRun(tasks, { mode: 'ticket', owner, deadlineSeconds });
  gathered.add(withTicket(coordinator, admitted, run));
  return true;
}

/**
 * Has a request wait for a head that went alone, and that no pipeline took. False where too many wait.
 *
 * @param message as the heads were sent it
 */
export function waitsForHead(
  coordinator: Coordinator,
  admitted: Admitted,
  message: Uint8Array,
  refusal: CoordinatorError,
): boolean {
  const { gathered } = coordinator;
  const run = runWithTicket(message);
  if (!gathered.hasRoomToWait(run.length)) return false;
  gathered.waits(withTicket(coordinator, admitted, run), refusal);
  return true;
}

/** A request that waited for a head when the canister was upgraded; its bytes are saved apart. */
export interface SavedWaiter extends Pick<Waiter, 'sinceNs'> {
  ticket: bigint;
  number?: bigint;
  deadlineNs?: bigint;
}

/** The requests that wait for a head, for an upgrade. */
export function saveWaiting({ gathered }: Coordinator): SavedWaiter[] {
  return gathered.all().map(({ request: { ticket, number, deadlineNs }, sinceNs }) => ({
    ticket: ticket.id,
    sinceNs,
    ...(number !== undefined && { number }),
    ...(deadlineNs !== undefined && { deadlineNs }),
  }));
}

/**
 * Has a request wait for a head as before the upgrade. Whether it can: not where its model is not registered
 * any more.
 */
export function waitsAgain(
  coordinator: Coordinator,
  ticket: Ticket,
  { number, deadlineNs, sinceNs }: SavedWaiter,
  run: Uint8Array,
): boolean {
  const { models, requests, tickets, numbers, gathered, ic } = coordinator;
  const model = models.find(ticket.model);
  const entry = requests.find(ticket.id);
  if (model === undefined) return false;
  const refuse = (error: unknown): void => {
    // The log may have forgotten it.
    if (entry !== undefined) requests.fail(entry, ic.now(), errorRecord(error));
    refuseTicket(coordinator, ticket, error, () => {
      if (number !== undefined) numbers.free(callerText(ticket.caller), number);
    });
  };
  tickets.add(ticket);
  const request = together(coordinator, { model, ticket, number, run, deadlineNs, refuse });
  gathered.waitsAgain({ request, sinceNs });
  return true;
}
