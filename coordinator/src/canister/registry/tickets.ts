import type { Plan } from '@canopy/protocol';
import { callerText } from '../bytes/text-of-bytes.js';
import type { PrincipalLike } from '../ic/ic.js';
import { FairStore } from './fair-store.js';
import type { Pipeline } from './models.js';

/** Tickets kept. */
export const ticketLimit = 1024;

/** A stage of a model and the worker that holds it. */
export interface Place {
  worker: PrincipalLike;
  stage: number;
}

/** Where a request is, once a head has taken it. */
export interface Placed {
  head: PrincipalLike;
  /** Where the result is kept when it is there: at the head, or the last stage where results stay. */
  keeper: Place;
  /** The head's number of the request. */
  requestId: bigint;
  /** Of the workers' configuration when they were given the request. */
  epoch: bigint;
}

/** A request whose result is to be fetched. */
export interface Ticket {
  id: bigint;
  model: string;
  caller: PrincipalLike;
  /** Undefined while the request is being handed to a head. */
  placed?: Placed;
}

/** Where a pipeline keeps its results. */
export function keeperOf({ resultsStay }: Plan, pipeline: Pipeline): Place {
  const stage = resultsStay ? pipeline.length - 1 : 0;
  return { worker: pipeline[stage]!, stage };
}

/** Tickets that can be fetched. */
export class TicketStore {
  private readonly tickets = new FairStore<bigint, Ticket>(ticketLimit, ({ caller }) =>
    callerText(caller),
  );

  add(ticket: Ticket): void {
    this.tickets.add(ticket.id, ticket);
  }
  find(id: bigint): Ticket | undefined {
    return this.tickets.find(id);
  }
  remove(id: bigint): void {
    this.tickets.remove(id);
  }
  all(): Ticket[] {
    return this.tickets.values();
  }
}
