/** Nanoseconds after which a call is not taken for open any more. */
const longestCallNs = 24n * 3600n * 1_000_000_000n;

/**
 * The calls whose answer has not come. Their call-backs point into this heap, which an upgrade replaces, so
 * none may be open then.
 *
 * A call-back that traps ends its call all the same: what it did is undone, and its clean-up ends the call. A
 * call that is older than a day is not there any more: its clean-up failed too, or a snapshot holds it that
 * was taken while it was open.
 */
export class OpenCalls {
  private readonly calls = new Set<{ beganNs: bigint }>();

  constructor(private readonly now: () => bigint) {}

  /** A call is sent; what this gives is to be run when it has come to an end, whichever. */
  begin(): () => void {
    const call = { beganNs: this.now() };
    this.calls.add(call);
    return () => void this.calls.delete(call);
  }

  get count(): number {
    const oldest = this.now() - longestCallNs;
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
