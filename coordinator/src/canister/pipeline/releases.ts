import { ByteReader, encodeRelease } from '@canopy/protocol';
import { samePrincipal, type Ic } from '../ic/ic.js';
import type { Place, Ticket } from '../registry/tickets.js';
import { callWorker } from './call-worker.js';

/** A result that nobody wants any more. */
export type Released = Pick<Ticket, 'head' | 'keeper' | 'requestId' | 'epoch'>;

/** Ids a message names at most. */
const mostIds = 1024;

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
  private timerIsSet = false;

  constructor(private readonly ic: Ic) {}

  /** Notes that a ticket's result can be forgotten; a request that still waits is cancelled so. */
  add({ head, keeper, requestId, epoch }: Ticket): void {
    this.waiting.push({ head, keeper, requestId, epoch });
    if (this.waiting.length > mostIds) this.waiting.shift();
    this.tell();
  }

  /** Tells a worker what waits of its results, unless that was done in this round. */
  tell(): void {
    if (this.waiting.length === 0) return;
    const now = this.ic.now();
    if (now === this.toldAtNs) {
      this.setTimer();
      return;
    }
    this.toldAtNs = now;
    const [first, ...others] = byKeeper(this.waiting).sort((a, b) => b.length - a.length);
    this.waiting = others.flat();
    if (others.length > 0) this.setTimer();
    void this.tellKeeper(first!);
  }

  /** For an upgrade. */
  save(): Released[] {
    return this.waiting;
  }
  restore(saved: readonly Released[]): void {
    this.waiting.unshift(...saved);
  }

  private setTimer(): void {
    if (this.timerIsSet) return;
    this.timerIsSet = true;
    this.ic.after(10, () => {
      this.timerIsSet = false;
      this.tell();
    });
  }

  /** Where the keeper does not know a request, the head does; or it was done in between. */
  private async tellKeeper(released: Released[]): Promise<void> {
    const { head, keeper, epoch } = released[0]!;
    try {
      let ids = released.map(({ requestId }) => requestId);
      for (const place of [keeper, { worker: head, stage: 0 }, keeper]) {
        ids = await this.releaseAt(place, epoch, ids);
        if (ids.length === 0 || keeper.stage === 0) return;
      }
    } catch {
      // A worker that is stopped or out of cycles: told again with the next burst.
      this.waiting.unshift(...released);
      this.setTimer();
    }
  }

  /** Has a stage forget requests; gives those it does not know. */
  private async releaseAt(
    { worker, stage }: Place,
    epoch: bigint,
    ids: readonly bigint[],
  ): Promise<bigint[]> {
    const reply = await callWorker(this.ic, worker, stage, 'release', encodeRelease(epoch, ids));
    const unknown = new ByteReader(reply, 'reply of release');
    return Array.from({ length: reply.length / 8 }, () => unknown.u64());
  }
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
