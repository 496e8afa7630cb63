import type { CoordinatorErrorRecord } from '@canopy/protocol';
import { callerText } from '../bytes/text-of-bytes.js';
import { samePrincipal, type PrincipalLike } from '../ic/ic.js';
import type { StageTotals } from '../pipeline/stages.js';
import { FairStore } from '../registry/fair-store.js';
import { packRequest, unpackRequest, type FinishedRequest } from './finished-request.js';
import type { LoggedRequest } from './logged-request.js';

/** Requests remembered. */
export const requestLogLimit = 256;

export interface Counters {
  requests: number;
  failed: number;
  microBatches: number;
  workerInstructions: bigint;
}

type Entry = LoggedRequest | FinishedRequest;

/** The latest requests and sums over all of them. */
export class RequestLog {
  private readonly entries = new FairStore<bigint, Entry>(requestLogLimit, ({ caller }) =>
    typeof caller === 'string' ? caller : callerText(caller),
  );
  /** Number of the next request, which is its ticket, unless the canister's version is beyond it. */
  nextTicket = 1n;
  readonly counters: Counters = {
    requests: 0,
    failed: 0,
    microBatches: 0,
    workerInstructions: 0n,
  };

  /** @param version of the canister */
  constructor(
    private readonly toPrincipal: (bytes: Uint8Array) => PrincipalLike,
    private readonly version: () => bigint = () => 0n,
  ) {}

  /**
   * A message begins one request at most, and the version grows with every message. So no ticket is given
   * twice, even where a snapshot was loaded that knows nothing of the latest.
   */
  begin(request: Omit<LoggedRequest, 'ticket' | 'stages' | 'bytesSent'>): LoggedRequest {
    const version = this.version();
    const ticket = version > this.nextTicket ? version : this.nextTicket;
    this.nextTicket = ticket + 1n;
    const entry = { ...request, ticket, stages: [], bytesSent: 0 };
    this.entries.add(entry.ticket, entry);
    this.counters.requests++;
    return entry;
  }

  /** Counts a request that was not admitted; it is not remembered. */
  refuse(): void {
    this.counters.requests++;
    this.counters.failed++;
  }

  /**
   * Notes how a request ended; how one ended before, such as cancelled, stays.
   * @param workers of the model's stages
   */
  succeed(
    entry: LoggedRequest,
    atNs: bigint,
    stages: StageTotals[],
    workers: readonly PrincipalLike[],
    bytesSent: number,
  ): void {
    if (entry.finishedAtNs !== undefined) return;
    entry.finishedAtNs = atNs;
    entry.stages = stages;
    entry.bytesSent = bytesSent;
    this.counters.microBatches += entry.microBatches;
    for (const stage of stages) this.counters.workerInstructions += stage.instructions;
    if (this.entries.find(entry.ticket) === entry) {
      this.entries.replace(entry.ticket, packRequest(entry, workers));
    }
  }

  /** As {@link succeed}. */
  fail(entry: LoggedRequest, atNs: bigint, error: CoordinatorErrorRecord): void {
    if (entry.finishedAtNs !== undefined) return;
    entry.finishedAtNs = atNs;
    entry.error = error;
    this.counters.failed++;
  }

  find(ticket: bigint): LoggedRequest | undefined {
    const entry = this.entries.find(ticket);
    return entry && this.unpacked(entry);
  }

  private unpacked(entry: Entry): LoggedRequest {
    return 'counts' in entry ? unpackRequest(entry, this.toPrincipal) : entry;
  }

  private all(): LoggedRequest[] {
    return this.entries.values().map((entry) => this.unpacked(entry));
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
    for (const entry of saved.entries) this.entries.add(entry.ticket, entry);
    this.nextTicket = saved.nextTicket;
    Object.assign(this.counters, saved.counters);
  }
}

export interface SavedRequests {
  entries: LoggedRequest[];
  nextTicket: bigint;
  counters: Counters;
}
