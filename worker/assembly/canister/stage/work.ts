/**
 * The task this stage works on. It is chosen at the end of the message before, so that a message
 * that traps, and is rolled back, leaves no doubt which task was to blame.
 */
import { CanisterError } from '../../generated/constants';
import { DONE, FAILED } from '../../ops/index';
import { readInputs } from '../../program/inputs';
import { advance, beginTask, endTask } from '../../program/interpreter';
import { setBudget } from '../../tensor/budget';
import { fail, number, text } from '../../tensor/errors';
import { release } from '../../tensor/memory';
import { launch } from '../head/launch';
import { isUnwanted, leftHead } from '../head/runs';
import { Task } from '../head/tasks';
import { performance_counter } from '../ic/ic0';
import { taskBudget, tasksPerMessage } from '../pacing/tasks';
import { isHead, stageIndex } from '../setup/config';
import { takeFromInbox, Work, workOf } from './inbox';
import { costOfCollected, costOfSending, reportFailure } from './outbox';

/** The task under way, 0 when there is none. */
export let current: usize = 0;
export let tasksFinished: u64 = 0;
export let instructionsUsed: u64 = 0;
/** Performance counter at which this message began to work on the current task. */
let startedAt: u64 = 0;

export function restoreCounters(tasks: u64, instructions: u64): void {
  tasksFinished = tasks;
  instructionsUsed = instructions;
}

/** Makes a task of the head the current one, after an upgrade. */
export function resume(work: usize): void {
  current = work;
}

/** What a task takes in this stage, by those finished so far; 0 before the first. */
function instructionsPerTask(): u64 {
  return tasksFinished == 0 ? 0 : instructionsUsed / tasksFinished;
}

/** Chooses the next task where none is under way. */
export function chooseTask(): void {
  while (current == 0) {
    current = takeFromInbox();
    if (current != 0 || !isHead()) return;
    const address = launch(tasksPerMessage(instructionsPerTask()));
    if (address == 0) return;
    const task = changetype<Task>(address);
    current = workOf(task);
    if (current != 0) return;
    const id = task.id;
    failHeap();
    reportFailure(id);
    leftHead(id);
  }
}

export function failHeap(): void {
  fail(CanisterError.outOfMemory);
  text('stage ');
  number(stageIndex);
  text(' has no heap left for the task; use smaller inputs or more workers');
}

/** Whether the current task is done, and its outputs are there to be handed on. */
export let isDone: bool = false;

/**
 * Works on the current task until it is done, has failed, or has used this message's budget.
 * `isFirst`: what the message used before counts for this task.
 */
export function work(isFirst: bool): void {
  startedAt = isFirst ? 0 : performance_counter(0);
  isDone = false;
  const task = changetype<Work>(current);
  if (task.isCancelled != 0 || (isHead() && isUnwanted(task.taskId))) {
    dropCurrent();
    return;
  }
  task.messages++;
  const usual = instructionsPerTask();
  const used = performance_counter(0);
  setBudget(taskBudget(used, usual, task.instructions, costOfCollected(), costOfSending()));
  if (task.isBegun == 0) {
    if (!readInputs(task.bundle, task.bundleBytes, true)) {
      failWork();
      return;
    }
    beginTask(task.bundleBytes);
    task.isBegun = 1;
  }
  const status = advance();
  if (status == DONE) isDone = true;
  else if (status == FAILED) failWork();
  else {
    const spent = performance_counter(0) - startedAt;
    task.instructions += spent;
    instructionsUsed += spent;
  }
}

/** What the task has used in all, with so many instructions that this message will still use for it. */
export function countInstructions(task: Work, toCome: u64): u64 {
  const used = performance_counter(0) - startedAt + toCome;
  instructionsUsed += used;
  tasksFinished++;
  return task.instructions + used;
}

/** Fails the current task with the failure of `tensor/errors`. */
export function failWork(): void {
  reportFailure(changetype<Work>(current).taskId);
  instructionsUsed += performance_counter(0) - startedAt;
  dropCurrent();
}

/** The current task is over here, and what it came with is freed. */
export function dropCurrent(): void {
  release(changetype<Work>(current).message);
  endCurrent();
}

/** The current task is over here; what it came with is somebody else's to free. */
export function endCurrent(): void {
  const task = changetype<Work>(current);
  const id = task.taskId;
  if (task.isBegun != 0) endTask();
  current = 0;
  release(changetype<usize>(task));
  if (isHead()) leftHead(id);
}

/** Nobody waits for the current task any more, if it is this one: it is not handed on. */
export function cancelCurrent(taskId: u64): void {
  if (current != 0 && changetype<Work>(current).taskId == taskId) {
    changetype<Work>(current).isCancelled = 1;
  }
}
