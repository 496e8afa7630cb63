import type { Ic } from './ic.js';

/** Nanoseconds after which a timer that is overdue is taken for lost. */
const lateNs = 60_000_000_000n;

/**
 * Runs something once, some seconds after it is set. Until it has run it is tried again and again: a canister
 * that is over its memory limit or frozen refuses a timer's message, and one that runs once would not come
 * again. A timer that is overdue will not come: the state may be that of a snapshot, taken after it ran. So it
 * is set anew.
 */
export class Alarm {
  /** Undefined while it is not set. */
  private pending: { dueNs: bigint; stop: () => void } | undefined;

  constructor(
    private readonly ic: Ic,
    private readonly seconds: number,
    private readonly run: () => void,
  ) {}

  /** Sets it, unless it is. */
  set(): void {
    const now = this.ic.now();
    if (this.pending !== undefined) {
      if (now < this.pending.dueNs + lateNs) return;
      this.pending.stop();
    }
    const stop = this.ic.every(this.seconds, () => {
      stop();
      this.pending = undefined;
      this.run();
    });
    this.pending = { dueNs: now + BigInt(this.seconds) * 1_000_000_000n, stop };
  }
}
