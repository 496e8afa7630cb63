import { serialOf } from '../access/handles.js';
import type { Charge } from '../access/usage.js';
import type { CoordinatorErrorRecord } from '@canopy/protocol';
import { callerText } from '../bytes/text-of-bytes.js';
import { samePrincipal, type PrincipalLike } from '../ic/ic.js';
import type { StageTotals } from '../pipeline/stages.js';
import { FairStore } from '../registry/fair-store.js';
import { packRequest, unpackRequest, type FinishedRequest } from './finished-request.js';
import type { LoggedRequest } from './logged-request.js';
import { ModelSums } from './model-sums.js';

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
  /** Number of the next request, part of its ticket, unless the canister's version is beyond it. */
  private nextTicket = 1n;
  /** Of registered models, by their names. */
  private readonly byModel = new Map<string, ModelSums>();
  private readonly charges = new WeakMap<LoggedRequest, Charge>();
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
   * A message begins one request at most, and the version grows with every message. So no number is given
   * twice, even where a snapshot was loaded that knows nothing of the latest.
   */
  nextSerial(): bigint {
    const version = this.version();
    const serial = version > this.nextTicket ? version : this.nextTicket;
    this.nextTicket = serial + 1n;
    return serial;
  }

  /**
   * @param request with its ticket, where that is more than a number
   * @param charge told what the request took, once that is known
   */
  begin(
    request: Omit<LoggedRequest, 'ticket' | 'stages' | 'bytesSent'> & { ticket?: bigint },
    charge?: Charge,
  ): LoggedRequest {
    const ticket = request.ticket ?? this.nextSerial();
    const entry = { ...request, ticket, stages: [], bytesSent: 0 };
    if (charge) this.charges.set(entry, charge);
    this.entries.add(entry.ticket, entry);
    this.counters.requests++;
    return entry;
  }

  /**
   * Counts a request that was not admitted; it is not remembered.
   * @param model where it is registered
   */
  refuse(model?: string): void {
    this.counters.requests++;
    this.counters.failed++;
    if (model !== undefined) this.sumsOf(model).refuse();
  }

  /** Sums of a registered model; it has them from the first time that this is asked. */
  sumsOf(model: string): ModelSums {
    const known = this.byModel.get(model);
    if (known) return known;
    const sums = new ModelSums();
    this.byModel.set(model, sums);
    return sums;
  }

  /** Forgets the sums of a model that is not registered any more. */
  forget(model: string): void {
    this.byModel.delete(model);
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
    let instructions = 0n;
    for (const stage of stages) instructions += stage.instructions;
    this.counters.workerInstructions += instructions;
    // Of a result that was read by queries alone it is not known.
    const isKnown = stages.length > 0;
    if (isKnown) this.charges.get(entry)?.took(instructions);
    this.byModel
      .get(entry.model)
      ?.succeed(atNs - entry.receivedAtNs, entry.microBatches, isKnown ? instructions : undefined);
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
    this.byModel.get(entry.model)?.fail();
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

  /**
   * Newest first; those of `caller`, or all where it is undefined; those before `before` where it is a ticket.
   */
  latest(limit: number, caller: PrincipalLike | undefined, before?: bigint): LoggedRequest[] {
    if (limit === 0) return [];
    const end = before === undefined ? undefined : serialOf(before);
    return this.all()
      .filter((entry) => caller === undefined || samePrincipal(entry.caller, caller))
      .filter(({ ticket }) => end === undefined || serialOf(ticket) < end)
      .slice(-limit)
      .reverse();
  }

  /** For an upgrade; requests that wait for an answer are lost with it and logged as cancelled. */
  save(): SavedRequests {
    const { nextTicket, counters } = this;
    const byModel = [...this.byModel].map(([model, sums]) => ({ model, sums: sums.save() }));
    return { entries: this.all(), nextTicket, counters, byModel };
  }

  restore(saved: SavedRequests): void {
    for (const entry of saved.entries) this.entries.add(entry.ticket, entry);
    this.nextTicket = saved.nextTicket;
    Object.assign(this.counters, saved.counters);
    for (const { model, sums } of saved.byModel ?? []) {
      this.sumsOf(model).restore(sums);
    }
  }
}

export interface SavedRequests {
  entries: LoggedRequest[];
  nextTicket: bigint;
  counters: Counters;
  /** Earlier versions had none. */
  byModel?: { model: string; sums: number[] }[];
}
