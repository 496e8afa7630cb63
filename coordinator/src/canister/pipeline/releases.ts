import { CanisterError, decodeIds, encodeRelease, parseCanisterError } from '@canopy/protocol';
import { Alarm } from '../ic/alarm.js';
import { CallFailure, samePrincipal, type Ic } from '../ic/ic.js';
import type { Place, Placed } from '../registry/tickets.js';
import { isStranger } from './call-worker.js';

/** A result that nobody wants any more. */
export interface Released extends Placed {
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
 * reach it any more.
 */
export class Releases {
  private waiting: Released[] = [];
  private toldAtNs = 0n;
  private readonly alarm: Alarm;

  constructor(private readonly ic: Ic) {
    this.alarm = new Alarm(ic, delaySeconds, () => {
      this.tell();
    });
  }

  /** Notes that a result can be forgotten; a request that still waits is cancelled so. */
  add({ head, keeper, requestId, epoch }: Placed): void {
    this.keep([{ head, keeper, requestId, epoch }]);
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
    if (this.waiting.length > mostIds) this.waiting.splice(0, this.waiting.length - mostIds);
  }

  /** Where the keeper does not know a request, the head does; or it was done in between. */
  private async tellKeeper(released: readonly Released[]): Promise<void> {
    const { head, keeper, epoch } = released[0]!;
    let ids = released.map(({ requestId }) => requestId);
    for (const place of [keeper, { worker: head, stage: 0 }, keeper]) {
      try {
        ids = await this.releaseAt(place, epoch, ids);
      } catch (error) {
        if (!(error instanceof CallFailure)) return;
        if (mayAnswerLater(error)) {
          this.tellLater(released);
          return;
        }
        // It holds nothing of ours any more; the head may.
      }
      if (ids.length === 0 || keeper.stage === 0) return;
    }
  }

  /** A worker that is stopped or out of cycles is told again, less and less often, and not for ever. */
  private tellLater(released: readonly Released[]): void {
    const now = this.ic.now();
    const again = released
      .map((one) => ({ ...one, tries: (one.tries ?? 0) + 1 }))
      .filter(({ tries }) => tries < mostTries)
      .map((one) => {
        const seconds = Math.min(longestDelaySeconds, delaySeconds * 2 ** (one.tries - 1));
        return { ...one, dueNs: now + BigInt(seconds) * 1_000_000_000n };
      });
    this.keep(again);
    if (again.length > 0) this.alarm.set();
  }

  /** Has a stage forget requests; gives those it does not know. */
  private async releaseAt(
    { worker }: Place,
    epoch: bigint,
    ids: readonly bigint[],
  ): Promise<bigint[]> {
    return decodeIds(await this.ic.call(worker, 'release', encodeRelease(epoch, ids)));
  }
}

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
