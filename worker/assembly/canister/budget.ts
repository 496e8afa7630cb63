/**
 * How many instructions a message of work may use. A stage should get two long messages into a round
 * (one, where two stages share a thread), so what the coordinator takes of its thread in a round must
 * fit beside one. The head sees the coordinator's requests, knows what each costs, and tells the other
 * stages with the tasks.
 */
import { instructionBudget, isHead, paced, stageCount } from './config';
import {
  coordinatorPerByte,
  coordinatorPerRelease,
  coordinatorPerRequest,
  roomOfOneStage,
  roomOfSeveral,
  shortestLongMessage,
  threads,
} from './limits';

/** What the coordinator took in this round and in those before, as far as the head knows. */
const rounds: i32 = 4;
const taken = memory.data(rounds * 8, 8);
/** What the head said last; 0 before. */
let told: u64 = 0;

/** A round has begun. */
export function budgetForNewRound(): void {
  for (let i = rounds - 1; i > 0; i--) store<u64>(taken + i * 8, load<u64>(taken + (i - 1) * 8));
  store<u64>(taken, 0);
}

/** The coordinator handed a request of so many bytes over; the round must have been entered. */
export function noteRequest(bytes: u32): void {
  store<u64>(taken, load<u64>(taken) + coordinatorPerRequest + coordinatorPerByte * bytes);
}

/** A request has ended: its caller will release the result. The round must have been entered. */
export function noteEnd(): void {
  store<u64>(taken, load<u64>(taken) + coordinatorPerRelease);
}

/** Takes over what the head said; 0 where it said nothing. */
export function setMessageBudget(instructions: u64): void {
  told = instructions == 0 ? 0 : max(instructions, shortestLongMessage);
}

/** Instructions after which a message's work ends. */
export function messageBudget(): u64 {
  if (!paced || instructionBudget <= shortestLongMessage) return instructionBudget;
  if (!isHead()) return told == 0 ? instructionBudget : min(told, instructionBudget);
  const room = stageCount <= threads ? roomOfOneStage : roomOfSeveral;
  let most: u64 = 0;
  for (let i = 0; i < rounds; i++) {
    const instructions = load<u64>(taken + i * 8);
    // No message would be short enough beside more: such rounds, where many requests come, pass.
    if (instructions < room - shortestLongMessage) most = max(most, instructions);
  }
  return min(room - most, instructionBudget);
}
