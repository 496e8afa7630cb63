import {
  ByteReader,
  CanisterError,
  RunEnd,
  decodeEndedRuns,
  encodeRelease,
  parseCanisterError,
  type EndedRun,
} from '@canopy/protocol';
import { Alarm } from '../ic/alarm.js';
import { CallFailure, samePrincipal, type Ic, type PrincipalLike } from '../ic/ic.js';
import type { Place, Placed } from '../registry/tickets.js';
import { isStranger } from './call-worker.js';

/** A result that nobody wants any more. */
export interface Released extends Placed {
  /** By which the log knows it; earlier versions did not keep it. */
  ticket?: bigint;
  /** Times a worker was told of it in vain. */
  tries?: number;
  /** Not told before this time, in nanoseconds. */
  dueNs?: bigint;
}

/** Ids a message names at most, and releases that wait at most. */
const mostIds = 1024;
/** Seconds between a burst and the next, and until a worker that did not answer is told again; doubled each time. */
const delaySeconds = 10;
const longestDelaySeconds = 3600;
/** Times a worker is told, over some hours: later its newer results have pushed the old ones out. */
const mostTries = 12;

/**
 * Results to be forgotten, told to workers in bursts: one call a round, however many are released, to
 * the worker of whose results most wait. What is released first in a round is told at once, with all
 * that came after the call before; what comes later in the round, or is kept elsewhere, goes with a
 * next, or with the timer where no next comes. Until then a result only takes room: the caller cannot
 * reach it any more. In its answer a worker says how each request ended, and which others did unasked.
 */
export class Releases {
  private waiting: Released[] = [];
  private toldAtNs = 0n;
  private readonly alarm: Alarm;

  /** @param onEnded is told how a request ended, with the head of its pipeline */
  constructor(
    private readonly ic: Ic,
    private readonly onEnded: Ended,
  ) {
    this.alarm = new Alarm(ic, delaySeconds, () => {
      this.tell();
    });
  }

  /** Notes that a result can be forgotten; a request that still waits is cancelled so. */
  add({ head, keeper, requestId, epoch }: Placed, ticket?: bigint): void {
    this.keep([{ head, keeper, requestId, epoch, ...(ticket !== undefined && { ticket }) }]);
    this.tell();
  }

  /** Tells a worker what waits of its results, unless that was done in this round. */
  tell(): void {
    if (this.waiting.length === 0) return;
    const now = this.ic.now();
    if (now === this.toldAtNs) {
      this.alarm.set();
      return;
    }
    const isDue = ({ dueNs = 0n }: Released): boolean => dueNs <= now;
    const [first, ...others] = byKeeper(this.waiting.filter(isDue)).sort(
      (one, other) => other.length - one.length,
    );
    if (first !== undefined) {
      this.toldAtNs = now;
      this.waiting = [...others.flat(), ...this.waiting.filter((one) => !isDue(one))];
      void this.tellKeeper(first);
    }
    if (this.waiting.length > 0) this.alarm.set();
  }

  /** For an upgrade, which timers do not outlive. */
  save(): Released[] {
    return this.waiting;
  }
  restore(saved: readonly Released[]): void {
    this.keep(saved);
    if (this.waiting.length > 0) this.alarm.set();
  }

  private keep(released: readonly Released[]): void {
    this.waiting.push(...released);
    if (this.waiting.length <= mostIds) return;
    this.lose(this.waiting.splice(0, this.waiting.length - mostIds));
  }

  /** Where the keeper does not know a request, the head does; or it was done in between. */
  private async tellKeeper(released: readonly Released[]): Promise<void> {
    const { head, keeper } = released[0]!;
    const atHead = { worker: head, stage: 0 };
    let left = released;
    for (const place of keeper.stage === 0 ? [keeper] : [keeper, atHead, keeper]) {
      try {
        left = await this.releaseAt(place, left);
      } catch (error) {
        if (!(error instanceof CallFailure)) return;
        if (mayAnswerLater(error)) {
          this.tellLater(left);
          return;
        }
        // It holds nothing of ours any more; the head may.
      }
      if (left.length === 0) return;
    }
    this.lose(left);
  }

  /** Nobody can say how these ended. */
  private lose(released: readonly Released[]): void {
    for (const one of released) this.onEnded(one, one.head, undefined);
  }

  /** A worker that is stopped or out of cycles is told again, less and less often, and not for ever. */
  private tellLater(released: readonly Released[]): void {
    const now = this.ic.now();
    const tried = released.map((one) => ({ ...one, tries: (one.tries ?? 0) + 1 }));
    this.lose(tried.filter(({ tries }) => tries >= mostTries));
    const again = tried
      .filter(({ tries }) => tries < mostTries)
      .map((one) => {
        const seconds = Math.min(longestDelaySeconds, delaySeconds * 2 ** (one.tries - 1));
        return { ...one, dueNs: now + BigInt(seconds) * 1_000_000_000n };
      });
    this.keep(again);
    if (again.length > 0) this.alarm.set();
  }

  /** Has a stage forget requests of one pipeline; gives those it does not know. */
  private async releaseAt(
    { worker }: Place,
    released: readonly Released[],
  ): Promise<readonly Released[]> {
    const { epoch, head } = released[0]!;
    const ids = released.map(({ requestId }) => requestId);
    const reply = await this.ic.call(worker, 'release', encodeRelease(epoch, ids));
    const told = decodeEndedRuns(new ByteReader(reply, 'reply of release'));
    const unasked = new Map(told.map((ended) => [ended.requestId, ended]));
    const left = released.filter((one) => {
      const ended = unasked.get(one.requestId);
      unasked.delete(one.requestId);
      if (ended === undefined || ended.end === RunEnd.unknown) return true;
      this.onEnded(one, head, ended);
      return false;
    });
    for (const ended of unasked.values()) this.onEnded(undefined, head, ended);
    return left;
  }
}

/** How a request ended, which was released or, undefined, not; or that nobody can say. */
type Ended = (
  released: Released | undefined,
  head: PrincipalLike,
  ended: EndedRun | undefined,
) => void;

/** Reject codes of the interface specification. */
const destinationInvalid = 3;
const canisterReject = 4;

/**
 * False of a worker that is gone, or that answers and holds nothing of ours: it was installed anew, or
 * configured anew.
 */
function mayAnswerLater(error: CallFailure): boolean {
  if (error.rejectCode === destinationInvalid) return false;
  if (error.rejectCode !== canisterReject) return true;
  const known = parseCanisterError(error.message);
  if (!known?.retryable || isStranger(known)) return false;
  return known.code !== CanisterError.otherEpoch.code;
}

/** Principals are compared as bytes: making their texts would cost much more. */
function byKeeper(released: readonly Released[]): Released[][] {
  const groups: Released[][] = [];
  for (const one of released) {
    const group = groups.find(
      ([first]) =>
        first!.epoch === one.epoch && samePrincipal(first!.keeper.worker, one.keeper.worker),
    );
    if (group) group.push(one);
    else groups.push([one]);
  }
  return groups;
}
