/**
 * How many instructions a message of work may use. The plan gives a figure to begin with; the worker
 * then learns what fits. Where four stages or fewer share a subnet's four threads, a round has room
 * for two messages of each; with up to eight, for one of each, two on a thread. Whether they fit
 * depends on what else runs, the coordinator above all: a message that is a little too long costs half
 * a round, so it is shortened at once and made longer bit by bit.
 */
import { instructionBudget, paced, stageCount } from './config';
import { longestMessage, threads } from './limits';

/** The figure of the configuration that was learned from. */
let planned: u64 = 0;
let learned: u64 = 0;
/** Messages of work in this round, and those of them that used most of their budget. */
let messages: u32 = 0;
let fullMessages: u32 = 0;
/** Whether work was waiting after the last of them. */
let isWaiting: bool = false;

/** Instructions after which a message's work ends. */
export function messageBudget(): u64 {
  if (!paced) return instructionBudget;
  if (planned != instructionBudget) {
    planned = instructionBudget;
    learned = instructionBudget;
  }
  return learned;
}

/** A message of work has used so many instructions; `more`: there is work for another. */
export function messageEnded(instructions: u64, more: bool): void {
  messages++;
  if (instructions >= messageBudget() - messageBudget() / 4) fullMessages++;
  isWaiting = more;
}

/** A new round has begun: learns from the last one. */
export function roundEnded(): void {
  const room: u32 = stageCount <= threads ? 2 : stageCount <= 2 * threads ? 1 : 0;
  const budget = messageBudget();
  if (room > 0 && paced) {
    if (fullMessages >= room) {
      learned = min(budget + budget / 256, max(planned, min(planned + planned / 8, longestMessage)));
    } else if (isWaiting && messages < room && (room == 1 || fullMessages > 0)) {
      learned = max(budget - budget / 32, planned / 2);
    }
  }
  messages = 0;
  fullMessages = 0;
}
