import type { CoordinatorErrorRecord } from '@canopy/protocol';
import { samePrincipal, type PrincipalLike } from '../ic/ic.js';
import type { StageTotals } from '../pipeline/stages.js';

/** Requests remembered; older ones are dropped. */
export const requestLogLimit = 256;

/** What is known of a request. */
export interface LoggedRequest {
  ticket: bigint;
  model: string;
  caller: PrincipalLike;
  receivedAtNs: bigint;
  finishedAtNs?: bigint;
  microBatches: number;
  bytesReceived: number;
  bytesSent: number;
  stages: StageTotals[];
  error?: CoordinatorErrorRecord;
}

export interface Counters {
  requests: number;
  failed: number;
  microBatches: number;
  workerInstructions: bigint;
  inFlight: number;
}

/** The latest requests and sums over all of them. */
export class RequestLog {
  private entries: LoggedRequest[] = [];
  /** Number of the next request, which is its ticket. */
  nextTicket = 1n;
  readonly counters: Counters = {
    requests: 0,
    failed: 0,
    microBatches: 0,
    workerInstructions: 0n,
    inFlight: 0,
  };

  begin(request: Omit<LoggedRequest, 'ticket' | 'stages' | 'bytesSent'>): LoggedRequest {
    const entry = { ...request, ticket: this.nextTicket++, stages: [], bytesSent: 0 };
    this.entries.push(entry);
    if (this.entries.length > requestLogLimit) this.entries.shift();
    this.counters.requests++;
    return entry;
  }

  succeed(entry: LoggedRequest, atNs: bigint, stages: StageTotals[], bytesSent: number): void {
    entry.finishedAtNs = atNs;
    entry.stages = stages;
    entry.bytesSent = bytesSent;
    this.counters.microBatches += entry.microBatches;
    for (const stage of stages) this.counters.workerInstructions += stage.instructions;
  }

  fail(entry: LoggedRequest, atNs: bigint, error: CoordinatorErrorRecord): void {
    entry.finishedAtNs = atNs;
    entry.error = error;
    this.counters.failed++;
  }

  find(ticket: bigint): LoggedRequest | undefined {
    const [oldest] = this.entries;
    // Tickets are numbered without gaps.
    return oldest && this.entries[Number(ticket - oldest.ticket)];
  }

  /** Newest first; those of `caller`, or all where it is undefined. */
  latest(limit: number, caller: PrincipalLike | undefined): LoggedRequest[] {
    return this.entries
      .filter((entry) => caller === undefined || samePrincipal(entry.caller, caller))
      .slice(-limit)
      .reverse();
  }

  /** For an upgrade; requests that wait for an answer are lost with it and logged as cancelled. */
  save(): SavedRequests {
    return { entries: this.entries, nextTicket: this.nextTicket, counters: this.counters };
  }

  restore(saved: SavedRequests): void {
    this.entries = saved.entries;
    this.nextTicket = saved.nextTicket;
    Object.assign(this.counters, saved.counters, { inFlight: 0 });
  }
}

export interface SavedRequests {
  entries: LoggedRequest[];
  nextTicket: bigint;
  counters: Counters;
}
