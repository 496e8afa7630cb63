/** Requests that no pipeline takes now, because workers are stopped or out of means. */
import { CanisterError } from '@canopy/protocol';
import { CoordinatorError } from '../error.js';
import { Alarm } from '../ic/alarm.js';
import type { Ic } from '../ic/ic.js';
import type { Model, Pipeline } from '../registry/models.js';
import type { Ticket } from '../registry/tickets.js';
import { cancelled } from './log-end.js';

/**
 * What is said of a request that may be taken a little later, when a worker was started, has loaded or
 * was topped up.
 */
const mayPass = new Set<string>([
  CanisterError.unreachable.code,
  CanisterError.notReady.code,
  CanisterError.lowOnCycles.code,
]);

/** Whether it is worth waiting after a refusal; after "busy" it is not: who asks shall learn of it. */
export function isAway({ kind: { code } }: CoordinatorError): boolean {
  return mayPass.has(code);
}

/** Seconds until requests are offered again. */
const againSeconds = 5;
/** Seconds for which a request is offered again and again: as long as a stage waits for a neighbour. */
export const longestWaitSeconds = 120;
/** Requests that wait at most, and their bytes. */
export const mostWaiting = 1024;
const mostBytes = 16 * 1024 * 1024;
const secondNs = 1_000_000_000n;

/** A request that goes together with others, or waits. Its caller has its ticket. */
export interface Together {
  model: Model;
  ticket: Ticket;
  /** Its number, where it has one. */
  number?: bigint | undefined;
  /** As `encodeTogether` takes it. */
  run: Uint8Array;
  /** When it is given up; undefined: as the workers are configured, once a head has it. */
  deadlineNs?: bigint | undefined;
  /** Whether nobody has cancelled it, and its ticket is still known. */
  isWanted(): boolean;
  /** The head of this pipeline has taken it, under this number. */
  taken(pipeline: Pipeline, requestId: bigint): void;
  /** No pipeline takes it, or it is not wanted any more. */
  refused(error: unknown): void;
}

/** A request, and since when it waits. */
export interface Waiter {
  request: Together;
  sinceNs: bigint;
}

/** {@link Waiter}, and what was last said of it. */
interface Kept extends Waiter {
  refusal: CoordinatorError;
}

/** The requests that wait. All are offered again together, from time to time. */
export class Waiting {
  private kept: Kept[] = [];
  private bytes = 0;
  private readonly alarm: Alarm;

  /** @param offerAgain is given those that are still wanted and in time */
  constructor(
    private readonly ic: Ic,
    private readonly offerAgain: (waiters: readonly Waiter[]) => void,
  ) {
    this.alarm = new Alarm(ic, againSeconds, () => {
      this.offer();
    });
  }

  /** Has a request wait; or tells it why it is refused, where it has waited long enough or too many wait. */
  keep({ request, sinceNs }: Waiter, refusal: CoordinatorError): void {
    const waitedNs = this.ic.now() - sinceNs;
    if (waitedNs >= BigInt(longestWaitSeconds) * secondNs) {
      const text = `${refusal.message}; it was offered again for ${longestWaitSeconds} seconds`;
      request.refused(new CoordinatorError(refusal.kind, text));
      return;
    }
    if (!this.hasRoom(request.run.length)) {
      request.refused(refusal);
      return;
    }
    this.add({ request, sinceNs, refusal });
  }

  /** Whether one more request of so many bytes may wait. */
  hasRoom(bytes: number): boolean {
    return this.kept.length < mostWaiting && this.bytes + bytes <= mostBytes;
  }

  /** Has a request wait as before an upgrade. */
  restore(waiter: Waiter): void {
    const text = 'the coordinator was upgraded while the request waited for a head';
    this.add({ ...waiter, refusal: new CoordinatorError(CanisterError.unreachable, text) });
  }

  /** Sees to it that what waits is offered again: a timer is lost where the state is that of a snapshot. */
  watch(): void {
    if (this.kept.length > 0) this.alarm.set();
  }

  all(): readonly Waiter[] {
    return this.kept;
  }

  private add(kept: Kept): void {
    this.kept.push(kept);
    this.bytes += kept.request.run.length;
    this.alarm.set();
  }

  private offer(): void {
    const { kept } = this;
    this.kept = [];
    this.bytes = 0;
    this.offerAgain(kept.filter((one) => this.isInTime(one)));
  }

  /** Whether a request is still wanted and has time left; else it is told so. */
  private isInTime({ request, refusal }: Kept): boolean {
    const now = this.ic.now();
    if (!request.isWanted()) request.refused(cancelled());
    else if (request.deadlineNs !== undefined && request.deadlineNs <= now) {
      const text = `the request was not finished before its deadline; no head took it: ${refusal.message}`;
      request.refused(new CoordinatorError(CanisterError.deadline, text));
    } else return true;
    return false;
  }
}
