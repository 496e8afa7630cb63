import type { Canister } from '../state/index.js';

/** Decides in each round of a subnet which canisters execute, in what order and on which threads. */
export interface RoundScheduler {
  startRound(round: number): void;
  /** Deals the canisters that may execute now to threads. */
  startIteration(first: boolean): Canister[][];
  /** A canister had its turn, as the `rank`-th of its thread. */
  noteTurn(canister: Canister, rank: number): void;
  finishRound(): void;
  /** Those that should go on first, first. */
  byPriority(canisters: readonly Canister[]): Canister[];
  /** The long execution of a canister was aborted. */
  noteAborted(canister: Canister): void;
}
