const longestCallNs = 24n * 3600n * 1_000_000_000n;

/**
 * The calls whose answer has not come. Their call-backs point into this heap, which an upgrade replaces, so
 * none may be open then.
 *
 * A call-back that traps ends its call all the same: what it did is undone, and its clean-up ends the call.
 * A snapshot that was taken while calls were open holds calls that nobody will answer. So the canister's
 * status counts for more: one that is stopped has no open calls. Where it is not stopped, a call that is
 * older than a day is not taken for open any more.
 */
export class OpenCalls {
  private readonly calls = new Set<{ beganNs: bigint }>();

  constructor(
    private readonly now: () => bigint,
    private readonly isStopped: () => boolean = () => false,
    /** Nanoseconds after which a call is not taken for open any more. */
    private readonly longestNs = longestCallNs,
  ) {}

  /** A call is sent; what this gives is to be run when it has come to an end, whichever. */
  begin(): () => void {
    const call = { beganNs: this.now() };
    this.calls.add(call);
    return () => void this.calls.delete(call);
  }

  get count(): number {
    if (this.isStopped()) return 0;
    const oldest = this.now() - this.longestNs;
    return [...this.calls].filter(({ beganNs }) => beganNs > oldest).length;
  }

  /** Throws while calls are open. */
  refuseUpgrade(): void {
    const { count } = this;
    if (count === 0) return;
    const calls = count === 1 ? '1 call to a worker is' : `${count} calls to workers are`;
    throw new Error(
      `${calls} open: stop the coordinator first, "stop_canister" waits for them; then upgrade and start it`,
    );
  }
}
