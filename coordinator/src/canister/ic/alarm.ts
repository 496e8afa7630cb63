import type { Ic } from './ic.js';

/** Nanoseconds after which a timer that is overdue is taken for lost. */
const lateNs = 60_000_000_000n;

/**
 * Runs something once, some seconds after it is set. A timer that is overdue will not come: the state may be
 * that of a snapshot, taken after it ran. So it is set again.
 */
export class Alarm {
  /** Undefined while it is not set. */
  private dueNs: bigint | undefined;

  constructor(
    private readonly ic: Ic,
    private readonly seconds: number,
    private readonly run: () => void,
  ) {}

  /** Sets it, unless it is. */
  set(): void {
    const now = this.ic.now();
    if (this.dueNs !== undefined && now < this.dueNs + lateNs) return;
    this.dueNs = now + BigInt(this.seconds) * 1_000_000_000n;
    this.ic.after(this.seconds, () => {
      this.dueNs = undefined;
      this.run();
    });
  }
}
