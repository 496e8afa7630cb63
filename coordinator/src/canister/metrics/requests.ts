import type { CoordinatorErrorRecord } from '@canopy/protocol';
import { samePrincipal, type PrincipalLike } from '../ic/ic.js';
import type { StageTotals } from '../pipeline/stages.js';
import { packRequest, unpackRequest, type FinishedRequest } from './finished-request.js';
import type { LoggedRequest } from './logged-request.js';

/** Requests remembered; older ones are dropped. */
export const requestLogLimit = 256;

export interface Counters {
  requests: number;
  failed: number;
  microBatches: number;
  workerInstructions: bigint;
  inFlight: number;
}

/** The latest requests and sums over all of them. */
export class RequestLog {
  /** The oldest first; their tickets are numbered without gaps. */
  private entries: (LoggedRequest | FinishedRequest)[] = [];
  /** Number of the next request, which is its ticket. */
  nextTicket = 1n;
  readonly counters: Counters = {
    requests: 0,
    failed: 0,
    microBatches: 0,
    workerInstructions: 0n,
    inFlight: 0,
  };

  constructor(private readonly toPrincipal: (bytes: Uint8Array) => PrincipalLike) {}

  begin(request: Omit<LoggedRequest, 'ticket' | 'stages' | 'bytesSent'>): LoggedRequest {
    const entry = { ...request, ticket: this.nextTicket++, stages: [], bytesSent: 0 };
    this.entries.push(entry);
    if (this.entries.length > requestLogLimit) this.entries.shift();
    this.counters.requests++;
    return entry;
  }

  /** @param workers of the model's stages */
  succeed(
    entry: LoggedRequest,
    atNs: bigint,
    stages: StageTotals[],
    workers: readonly PrincipalLike[],
    bytesSent: number,
  ): void {
    entry.finishedAtNs = atNs;
    entry.stages = stages;
    entry.bytesSent = bytesSent;
    this.counters.microBatches += entry.microBatches;
    for (const stage of stages) this.counters.workerInstructions += stage.instructions;
    const index = this.indexOf(entry.ticket);
    if (this.entries[index] === entry) this.entries[index] = packRequest(entry, workers);
  }

  fail(entry: LoggedRequest, atNs: bigint, error: CoordinatorErrorRecord): void {
    entry.finishedAtNs = atNs;
    entry.error = error;
    this.counters.failed++;
  }

  find(ticket: bigint): LoggedRequest | undefined {
    const entry = this.entries[this.indexOf(ticket)];
    return entry && this.unpacked(entry);
  }

  private indexOf(ticket: bigint): number {
    const [oldest] = this.entries;
    return oldest === undefined ? -1 : Number(ticket - oldest.ticket);
  }

  private unpacked(entry: LoggedRequest | FinishedRequest): LoggedRequest {
    return 'counts' in entry ? unpackRequest(entry, this.toPrincipal) : entry;
  }

  private all(): LoggedRequest[] {
    return this.entries.map((entry) => this.unpacked(entry));
  }

  /** Newest first; those of `caller`, or all where it is undefined. */
  latest(limit: number, caller: PrincipalLike | undefined): LoggedRequest[] {
    return this.all()
      .filter((entry) => caller === undefined || samePrincipal(entry.caller, caller))
      .slice(-limit)
      .reverse();
  }

  /** For an upgrade; requests that wait for an answer are lost with it and logged as cancelled. */
  save(): SavedRequests {
    return { entries: this.all(), nextTicket: this.nextTicket, counters: this.counters };
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
