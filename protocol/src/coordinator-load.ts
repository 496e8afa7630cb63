/** A request, in all messages of the round in which it comes (the replica's 2 M a message included). */
const perRequest = 26_000_000;
const perByte = 58;
/** Rounds in which it takes more are left out: no message of work is made so short. */
const most = 900_000_000;
/** Rounds that are looked back on, the present one included. */
const roundsKept = 4;

/**
 * What requests take of the coordinator's thread in the round in which they come, in instructions, so that
 * heads can leave room for it beside their long messages. What releases take heads reckon from the runs
 * that ended, which they know when no further request comes to tell them. The coordinator says it with each
 * request, and so does the planner's simulation of it. Time stands still within a round.
 */
export class CoordinatorLoad {
  /** Of the last rounds with messages, the latest first. */
  private readonly taken = new Array<number>(roundsKept).fill(0);
  private round: bigint | number = 0;

  /**
   * A request of so many bytes has come.
   *
   * @param now the same within a round, another in each
   */
  add(bytes: number, now: bigint | number): void {
    if (now !== this.round) {
      this.round = now;
      this.taken.pop();
      this.taken.unshift(0);
    }
    this.taken[0]! += perRequest + perByte * bytes;
  }

  /** Most instructions of one of the last rounds. */
  get instructions(): number {
    let found = 0;
    for (const taken of this.taken) if (taken < most && taken > found) found = taken;
    return found;
  }
}
