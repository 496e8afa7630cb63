/**
 * How many tasks a message and the pipeline hold, and where in a message work on a task ends. What a task
 * takes is known by experience: the average of those finished so far, 0 before the first.
 */
import { hasOwnThread, messageBudget } from './budget';
import { maxBatches, messagesUnderWayPerStage, tasksUnderWayMore } from './limits';
import { paced, stages } from './place';

/** Part of the budget that only the end of a task may use: a task done in this message needs no other. */
const finishing: u64 = 128;
/** Part of what work may use that is too little to begin a task in. */
const tooLittle: u64 = 64;

/** Tasks that one message has room for. */
export function tasksPerMessage(perTask: u64): u32 {
  if (perTask == 0) return 1;
  return <u32>min<u64>(max<u64>(1, messageBudget() / perTask), maxBatches);
}

/** Whether the pipeline has enough with so many tasks under way; `perMessage` fit a message of the head. */
export function isFull(underWay: u32, perMessage: u32): bool {
  return paced && underWay >= messagesUnderWayPerStage * stages * perMessage + tasksUnderWayMore;
}

/**
 * Most tasks the head launches in one message, as far as they go: so many that every stage has work,
 * and another message's worth to come where all stages can be at work at once. More would only make
 * later stages wait for the first.
 */
export function tasksPerLaunch(waiting: u32, underWay: u32): u32 {
  if (!paced) return u32.MAX_VALUE;
  const messages = hasOwnThread() ? 2 * stages : stages;
  return max<u32>(1, (waiting + underWay) / messages);
}

function lessAtMostHalf(budget: u64, instructions: u64): u64 {
  return budget - min(instructions, budget / 2);
}

/**
 * Instructions after which a message begins no further task: what it sends must fit the budget too.
 * `collected` is what sending takes that is already due.
 */
export function workBudget(collected: u64): u64 {
  const budget = messageBudget();
  return lessAtMostHalf(budget - budget / finishing, collected);
}

/** Whether it is worth while to begin a further task in a message that has used so much. */
export function hasRoom(used: u64, collected: u64): bool {
  const budget = workBudget(collected);
  return used < budget - budget / tooLittle;
}

/**
 * Instructions after which a message's work on a task ends: late enough that it is done, where by
 * experience it then will be.
 *
 * `used`: by the message so far; `usual`: what a task takes; `done`: what was spent on it in messages
 * before; `sending`: `collected`, with this task's outputs.
 */
export function taskBudget(used: u64, usual: u64, done: u64, collected: u64, sending: u64): u64 {
  const left = usual - min(usual, done);
  const isWhole = used + collected + left <= messageBudget();
  return usual == 0 || isWhole
    ? lessAtMostHalf(messageBudget(), sending)
    : workBudget(collected);
}
