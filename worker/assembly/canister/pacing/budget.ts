/**
 * How many instructions a message of work may use. A stage should get two long messages into a round
 * (one, where workers share a thread), so what the coordinator takes of its thread in a round must fit
 * beside one. The coordinator tells the heads with each run what runs take, and heads know how
 * many runs have ended and will be released. They tell the other stages with tasks.
 */
import {
  coordinatorPerRelease,
  roomOfOneStage,
  roomOfSeveral,
  roundsOfLoad,
  shortestLongMessage,
  threads,
} from './limits';
import { instructionBudget, isHead, paced, pipelines, stages } from './place';

/** What runs take of the coordinator in a round, as it said last, and for how many rounds that holds. */
let coordinatorLoad: u64 = 0;
let loadHolds: u32 = 0;
/** Runs that ended in this round and in those before, u32 each. */
const rounds: i32 = 4;
const ended = memory.data(rounds * 4, 4);
/** What the head said last; 0 before. */
let told: u64 = 0;

/** Whether each worker of the model has a thread of the subnet for itself. */
export function hasOwnThread(): bool {
  return stages * pipelines <= threads;
}

/** Nothing was told yet, and nothing has ended. */
export function forget(): void {
  coordinatorLoad = 0;
  loadHolds = 0;
  memory.fill(ended, 0, rounds * 4);
  told = 0;
}

/** A round has begun. */
export function budgetForNewRound(): void {
  if (loadHolds > 0) loadHolds--;
  for (let i = rounds - 1; i > 0; i--) store<u32>(ended + i * 4, load<u32>(ended + (i - 1) * 4));
  store<u32>(ended, 0);
}

/** A run has ended: its caller will release the result. The round must have been entered. */
export function noteEnd(): void {
  store<u32>(ended, load<u32>(ended) + 1);
}

/** What the coordinator takes in a round. */
function coordinatorTakes(): u64 {
  let releases: u64 = 0;
  for (let i = 0; i < rounds; i++) releases += load<u32>(ended + i * 4);
  // Other pipelines do as much on average.
  releases = (releases * pipelines + rounds - 1) / rounds;
  return (loadHolds > 0 ? coordinatorLoad : 0) + releases * coordinatorPerRelease;
}

/** Takes over what the coordinator says it takes; the round must have been entered. */
export function setCoordinatorLoad(instructions: u64): void {
  coordinatorLoad = instructions;
  loadHolds = roundsOfLoad + pipelines;
}

/** Takes over what the head said; 0 where it said nothing. */
export function setMessageBudget(instructions: u64): void {
  told = instructions == 0 ? 0 : max(instructions, shortestLongMessage);
}

/** Instructions after which a message's work ends. */
export function messageBudget(): u64 {
  if (!paced || instructionBudget <= shortestLongMessage) return instructionBudget;
  if (!isHead) return told == 0 ? instructionBudget : min(told, instructionBudget);
  const room = hasOwnThread() ? roomOfOneStage : roomOfSeveral;
  return min(max(room - min(coordinatorTakes(), room), shortestLongMessage), instructionBudget);
}
