/**
 * Where in a round this canister is. Time stands still within a round, and the canister's `step`
 * comes once an iteration, so steps count iterations. `now` is the time of the present message.
 *
 * The first iterations of a round are quiet: stages leave them to small messages. Runs reach the
 * coordinator in the first and the head in the second, and the head's answers go back in the third.
 * Beside the stages' long messages they would cost whole iterations: a subnet has four threads, and
 * with five canisters at work two share one.
 */
import { budgetForNewRound } from './budget';
import { mostRoundsLost, quietIterations, roundsWithoutQuiet } from './limits';
import { paced } from './place';

let roundTime: u64 = 0;
/** Iterations of this round that were over, or are the present one, when last heard of. */
let iterations: u32 = 0;
/** Whether a step of this round was quiet; whether one was not. */
let wasQuiet: bool = false;
let wasAtWork: bool = false;
/** Rounds in a row that were over before a step could work. */
let roundsLost: u32 = 0;
/** Rounds for which there is no quiet. */
let rest: u32 = 0;

/** No round was seen yet. */
export function forget(): void {
  roundTime = 0;
  iterations = 0;
  wasQuiet = false;
  wasAtWork = false;
  roundsLost = 0;
  rest = 0;
}

function enterRound(now: u64): void {
  if (now == roundTime) return;
  roundTime = now;
  iterations = 0;
  budgetForNewRound();
  if (rest > 0) rest--;
  // Where a subnet is busy, rounds may be over before the quiet is. One without a step tells nothing.
  if (wasAtWork) roundsLost = 0;
  else if (wasQuiet && ++roundsLost >= mostRoundsLost) {
    roundsLost = 0;
    rest = roundsWithoutQuiet;
  }
  wasQuiet = false;
  wasAtWork = false;
}

/** A message came that at least so many iterations of its round, the present one included, tell of. */
function atLeast(now: u64, count: u32): void {
  enterRound(now);
  iterations = max(iterations, count);
}

/** A run came from the coordinator, where no step has counted the iteration. */
export function runCame(now: u64, isStepOutstanding: bool): void {
  atLeast(now, isStepOutstanding ? 1 : 2);
}

/** Tasks came that the stage before sent at `sentAt`: what is of a round before is there in the first iteration. */
export function tasksCame(now: u64, sentAt: u64, isStepOutstanding: bool): void {
  atLeast(now, sentAt == now ? quietIterations : isStepOutstanding ? 0 : 1);
}

/** Something came that tells nothing of iterations. */
export function newsCame(now: u64): void {
  enterRound(now);
}

/** Whether the present iteration belongs to small messages. */
export function isQuiet(now: u64): bool {
  enterRound(now);
  return paced && rest == 0 && iterations < quietIterations;
}

/** A `step` has come: {@link isQuiet} for it, and counts its iteration. */
export function isQuietStep(now: u64): bool {
  const quiet = isQuiet(now);
  iterations++;
  if (quiet) wasQuiet = true;
  else wasAtWork = true;
  return quiet;
}
