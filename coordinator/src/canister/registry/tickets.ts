import type { PrincipalLike } from '../ic/ic.js';

/** Tickets kept; the oldest are forgotten first, as the head forgets their results. */
export const ticketLimit = 1024;

/** Where the result of a ticket waits. */
export interface Ticket {
  id: bigint;
  model: string;
  head: PrincipalLike;
  caller: PrincipalLike;
  /** The head's number of the request. */
  requestId: bigint;
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
