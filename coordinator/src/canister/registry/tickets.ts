import type { Plan } from '@canopy/protocol';
import type { PrincipalLike } from '../ic/ic.js';
import type { Pipeline } from './models.js';

/** Tickets kept; the oldest are forgotten first, as the head forgets their results. */
export const ticketLimit = 1024;

/** A stage of a model and the worker that holds it. */
export interface Place {
  worker: PrincipalLike;
  stage: number;
}

/** A request whose result waits to be fetched. */
export interface Ticket {
  id: bigint;
  model: string;
  head: PrincipalLike;
  /** Where the result is kept when it is there: at the head, or the last stage where results stay. */
  keeper: Place;
  caller: PrincipalLike;
  /** The head's number of the request. */
  requestId: bigint;
  /** Of the workers' configuration when they were given the request. */
  epoch: bigint;
}

/** Where a pipeline keeps its results. */
export function keeperOf({ resultsStay }: Plan, pipeline: Pipeline): Place {
  const stage = resultsStay ? pipeline.length - 1 : 0;
  return { worker: pipeline[stage]!, stage };
}

/** Tickets that can be fetched. */
export class TicketStore {
  private readonly tickets = new Map<bigint, Ticket>();

  add(ticket: Ticket): void {
    this.tickets.set(ticket.id, ticket);
    if (this.tickets.size > ticketLimit) {
      const oldest = this.tickets.keys().next();
      if (oldest.done !== true) this.tickets.delete(oldest.value);
    }
  }
  find(id: bigint): Ticket | undefined {
    return this.tickets.get(id);
  }
  remove(id: bigint): void {
    this.tickets.delete(id);
  }
  all(): Ticket[] {
    return [...this.tickets.values()];
  }
}
