/** Life of a run at the head: admitted, launched task by task, finished, given back. */
import { CanisterError, EnqueueMode } from '../../generated/constants';
import { fail, number, text } from '../../tensor/errors';
import { alloc, release } from '../../tensor/memory';
import { hasOwnThread, noteEnd } from '../pacing/budget';
import {
  addToCaller,
  callerBegan,
  callerDropped,
  callerFinished,
  callerHolds,
  callerOf,
  makeCallerTable,
  noCaller,
  removeFromCaller,
  takeTurn,
  unfinishedOf,
} from './callers';
import { paced, queueLimit, queueLimitPerCaller, resultsStay, stageCount } from '../setup/config';
import { time } from '../ic/ic0';
import { addKept, keepsTooMuch, keptFirstSlot, removeKept } from './kept';
import {
  maxTasks,
  maxUnfinished,
  maxWaitingBytes,
  silenceSeconds,
  messagesUnderWayPerStage,
  tasksUnderWayMore,
} from '../pacing/limits';
import { composeFailure, failureLength } from '../ic/answer';
import {
  clearRun,
  findRun,
  hasRunTable,
  makeRunTable,
  freeId,
  Run,
  runAt,
  RunState,
  slotOf,
  slots,
  taskEntryBytes,
  taskOf,
} from './run';
import { measureResult } from './results';
import { noteReleased } from './released';

/** The id the next run gets. */
export let nextId: u64 = 1;
/** Runs not finished. */
export let unfinished: u32 = 0;
/** Calls that wait for a result. */
export let openCalls: u32 = 0;
/** Tasks launched and not yet reported, over all runs. */
export let tasksUnderWay: u32 = 0;
/** Tasks admitted and not yet launched. */
let tasksWaiting: u32 = 0;
/** Tasks of all runs in the table. */
let tasksKnown: u32 = 0;
let waitingBytes: u64 = 0;

/** Makes the head's tables where there are none; false where there is no heap for them. */
export function makeTables(): bool {
  return makeCallerTable() && makeRunTable();
}

/** Sets the first id. Ids of an earlier life of the canister must not come again. */
export function startIds(id: u64): void {
  nextId = id;
}

function busy(what: string, limit: u64): usize {
  fail(CanisterError.busy);
  text('the head of the pipeline is at its limit of ');
  number(limit);
  text(' ');
  text(what);
  text('; try again later');
  return 0;
}

/**
 * Admits a run of `taskCount` tasks whose entries are not yet filled in. The address of the
 * run; 0 with a failure's text where a limit is reached.
 */
export function admit(mode: u32, owner: usize, taskCount: u32, bytes: u32): usize {
  const limit = min(queueLimit, maxUnfinished);
  if (unfinished >= limit) return busy('requests not finished', limit);
  const caller = callerOf(owner);
  if (caller == noCaller) return busy('callers', maxUnfinished);
  if (unfinishedOf(caller) >= queueLimitPerCaller) {
    return busy('requests of one caller', queueLimitPerCaller);
  }
  if (waitingBytes + bytes > maxWaitingBytes)
    return busy('bytes of waiting inputs', maxWaitingBytes);
  while (tasksKnown + taskCount > maxTasks) {
    if (!dropOldestResult()) return busy('micro-batches', maxTasks);
  }
  const id = freeId(nextId);
  if (id == 0) return busy('requests', slots);
  const tasks = alloc(<usize>taskCount * taskEntryBytes);
  if (tasks == 0) return busy('bytes of heap', memory.size() << 16);

  memory.fill(tasks, 0, <usize>taskCount * taskEntryBytes);
  const run = runAt(<u32>(id % slots));
  run.id = id;
  run.caller = caller;
  callerHolds(caller);
  run.mode = mode;
  run.taskCount = taskCount;
  run.tasks = tasks;
  run.isOpen = mode == EnqueueMode.wait ? 1 : 0;
  nextId = id + 1;
  unfinished++;
  openCalls += run.isOpen;
  tasksKnown += taskCount;
  return changetype<usize>(run);
}

/** Takes back the admission of a run that is not in line yet. */
export function withdraw(run: Run): void {
  unfinished--;
  openCalls -= run.isOpen;
  tasksKnown -= run.taskCount;
  release(run.tasks);
  callerDropped(run.caller);
  clearRun(run);
}

/** Puts an admitted run, its tasks filled in, in its caller's line. */
export function line(run: Run): void {
  callerBegan(run.caller);
  addToCaller(run.caller, slotOf(run));
  waitingBytes += run.inputBytes;
  tasksWaiting += run.taskCount;
}

/** Puts a run that an upgrade saved, and its owner, in the table again. */
export function restoreRun(saved: Run, owner: usize): usize {
  const run = runAt(<u32>(saved.id % slots));
  memory.copy(changetype<usize>(run), changetype<usize>(saved), offsetof<Run>());
  run.next = 0;
  run.isKept = 0;
  run.keptNext = 0;
  run.caller = callerOf(owner);
  callerHolds(run.caller);
  tasksKnown += run.taskCount;
  tasksUnderWay += run.underWay;
  openCalls += run.isOpen;
  if (run.state == RunState.active) {
    unfinished++;
    callerBegan(run.caller);
    waitingBytes += run.inputBytes;
    if (run.tasksLaunched < run.taskCount) addToCaller(run.caller, slotOf(run));
    tasksWaiting += run.taskCount - run.tasksLaunched;
  }
  return changetype<usize>(run);
}

/**
 * Most tasks the head launches in one message, as far as they go: so many that every stage has work,
 * and another message's worth to come where all stages can be at work at once. More would only make
 * later stages wait for the first.
 */
export function tasksPerLaunch(): u32 {
  if (!paced) return u32.MAX_VALUE;
  const messages = hasOwnThread() ? 2 * stageCount : stageCount;
  return max<u32>(1, (tasksWaiting + tasksUnderWay) / messages);
}

/**
 * The run whose next task is to be launched now, 0 when none is or the pipeline is full.
 * `tasksPerMessage` is how many tasks a message of the head holds by experience.
 */
export function launch(tasksPerMessage: u32): usize {
  const full = messagesUnderWayPerStage * stageCount * tasksPerMessage + tasksUnderWayMore;
  if (paced && tasksUnderWay >= full) return 0;
  const turn = takeTurn();
  if (turn == 0) return 0;
  const run = runAt(turn - 1);
  run.tasksLaunched++;
  run.underWay++;
  run.isAtHead = 1;
  run.lastNews = time();
  tasksUnderWay++;
  tasksWaiting--;
  if (run.tasksLaunched == run.taskCount) removeFromCaller(run.caller, turn - 1);
  return changetype<usize>(run);
}

/** Frees the input of a run once no task needs it. */
function freeInput(run: Run): void {
  if (run.input == 0 || run.isAtHead != 0) return;
  if (run.state == RunState.active && run.tasksLaunched < run.taskCount) return;
  waitingBytes -= run.inputBytes;
  release(run.input);
  run.input = 0;
  run.inputBytes = 0;
}

/** The head has done its part of a task of this run. */
export function leftHead(id: u64): void {
  const address = findRun(id);
  if (address == 0) return;
  const run = changetype<Run>(address);
  run.isAtHead = 0;
  freeInput(run);
}

/** Takes one report of a task; the run it belongs to, 0 where it is unknown or was reported. */
function report(id: u64, taskIndex: u32): usize {
  const address = findRun(id);
  if (address == 0) return 0;
  const run = changetype<Run>(address);
  if (taskIndex >= run.taskCount) return 0;
  const task = taskOf(run, taskIndex);
  if (task.isReported != 0 || run.underWay == 0) return 0;
  task.isReported = 1;
  run.underWay--;
  run.lastNews = time();
  tasksUnderWay--;
  return address;
}

/** Takes the result of a task; `message`, the `Task` that brought it, is ours from now on. */
export function taskDone(id: u64, taskIndex: u32, message: usize, bytes: u32, bundle: u32): void {
  const address = report(id, taskIndex);
  if (address == 0) {
    release(message);
    noteReleased(id);
    return;
  }
  const run = changetype<Run>(address);
  if (run.state != RunState.active) {
    release(message);
    noteReleased(id);
    leaveIfForgotten(run);
    return;
  }
  if (resultsStay) release(message);
  else {
    const task = taskOf(run, taskIndex);
    task.result = message;
    task.resultBytes = bytes;
    task.bundleBytes = bundle;
  }
  run.tasksDone++;
  if (run.tasksDone == run.taskCount) finish(run, RunState.done);
}

/** A task failed at `stage`: its whole run fails with `[code] text`, copied from `reason`. */
export function taskFailed(id: u64, taskIndex: u32, stage: u32, reason: usize, bytes: u32): void {
  const address = report(id, taskIndex);
  if (address == 0) return;
  const run = changetype<Run>(address);
  if (run.state == RunState.active) failRun(run, stage, reason, bytes);
  else leaveIfForgotten(run);
}

function failRun(run: Run, stage: u32, reason: usize, bytes: u32): void {
  if (run.tasksDone > 0) noteReleased(run.id);
  tasksWaiting -= run.taskCount - run.tasksLaunched;
  removeFromCaller(run.caller, slotOf(run));
  const kept = alloc(bytes);
  if (kept != 0) memory.copy(kept, reason, bytes);
  run.failure = kept;
  run.failureBytes = kept == 0 ? 0 : bytes;
  run.failedStage = stage;
  freeResults(run);
  finish(run, RunState.failed);
  freeInput(run);
}

function freeResults(run: Run): void {
  for (let index: u32 = 0; index < run.taskCount; index++) {
    const task = taskOf(run, index);
    release(task.result);
    task.result = 0;
  }
}

function finish(run: Run, state: u32): void {
  run.state = state;
  unfinished--;
  noteEnd();
  callerFinished(run.caller);
  if (!isElsewhere(run)) measureResult(run);
  if (run.isOpen == 0) settle(run);
}

/** Whether the result of a run is at the last stage, all of it. */
export function isElsewhere(run: Run): bool {
  return resultsStay && run.state == RunState.done;
}

/** No call waits for a finished run: its result is kept where it is here, else it is forgotten. */
export function settle(run: Run): void {
  if (isElsewhere(run)) forget(run);
  else keepResult(run);
}

/** Keeps a finished result for `fetch`; older ones make room for it. */
export function keepResult(run: Run): void {
  addKept(run);
  while (keepsTooMuch()) dropOldestResult();
}

/** Forgets the oldest result kept; false when none is. */
export function dropOldestResult(): bool {
  const first = keptFirstSlot();
  if (first == 0) return false;
  forget(runAt(first - 1));
  return true;
}

/** Nobody wants the result any more: frees it, and the slot as soon as no task is under way. */
export function forget(run: Run): void {
  removeKept(run);
  freeResults(run);
  release(run.failure);
  run.failure = 0;
  run.isForgotten = 1;
  leaveIfForgotten(run);
}

/** Ends the call that waited for a run; its result was given or is kept. */
export function closeCall(run: Run): void {
  if (run.isOpen == 0) return;
  run.isOpen = 0;
  openCalls--;
}

function leaveIfForgotten(run: Run): void {
  if (run.isForgotten == 0 || run.underWay > 0) return;
  tasksKnown -= run.taskCount;
  release(run.tasks);
  release(run.input);
  waitingBytes -= run.inputBytes;
  callerDropped(run.caller);
  clearRun(run);
}

/** The caller takes a run back: what waits is not launched; a call that waits gets `cancelled`. */
export function cancel(run: Run): void {
  if (run.state == RunState.active) {
    fail(CanisterError.cancelled);
    text('the request was released before it was finished');
    const reason = composeFailure();
    failRun(run, 0, reason, failureLength());
  }
  if (run.isOpen == 0) forget(run);
}

/** Fails runs whose tasks under way were lost. True while there is something to watch. */
export function failSilent(): bool {
  if (!hasRunTable()) return false;
  const oldest = time() - silenceSeconds * 1_000_000_000;
  let watching = false;
  for (let slot: u32 = 0; slot < slots; slot++) {
    const run = runAt(slot);
    if (run.id == 0 || run.underWay == 0) continue;
    if (run.lastNews > oldest) {
      watching = true;
      continue;
    }
    tasksUnderWay -= run.underWay;
    run.underWay = 0;
    if (run.state != RunState.active) {
      leaveIfForgotten(run);
      continue;
    }
    fail(CanisterError.nextStage);
    text('no news of its tasks for ');
    number(silenceSeconds);
    text(' s; a stage may have been reinstalled');
    const reason = composeFailure();
    failRun(run, 0, reason, failureLength());
  }
  return watching || unfinished > 0;
}

/** Forgets all runs; none may be under way. */
export function forgetAllRuns(): void {
  if (!hasRunTable()) return;
  for (let slot: u32 = 0; slot < slots; slot++) {
    const run = runAt(slot);
    if (run.id != 0) forget(run);
  }
}
