import type { Ic } from '../ic/ic.js';

/** Instructions; limits of the simulation in `@canopy/partitioner` are compared with them. */
export const perRequest = 26_000_000;
export const perByte = 58;
/** Rounds in which it takes more are left out: no message of work is made so short. */
export const most = 900_000_000;
/** Rounds that are looked back on, the present one included. */
export const roundsKept = 4;

/**
 * What requests take of this canister's thread in the round in which they come, so that heads can leave
 * room for it beside their long messages; a request at what it takes in all messages of the round (the
 * replica's 2 M a message included). What releases take heads reckon from the requests that ended,
 * which they know when no further request comes to tell them. Time stands still within a round.
 */
export class OwnLoad {
  /** Of the last rounds with messages, the latest first. */
  private readonly taken = new Array<number>(roundsKept).fill(0);
  private roundTime = 0n;

  constructor(private readonly ic: Ic) {}

  /** A request of so many bytes has come. */
  add(bytes: number): void {
    const now = this.ic.now();
    if (now !== this.roundTime) {
      this.roundTime = now;
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
