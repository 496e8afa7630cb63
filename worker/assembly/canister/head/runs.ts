/** What happens to runs at the head: admitted, finished part by part, failed, given back, given up. */
import { CanisterError, EnqueueMode } from '../../generated/constants';
import { fail, number, text } from '../../tensor/errors';
import { alloc, allocAligned, release } from '../../tensor/memory';
import { composeFailure, failureLength } from '../ic/answer';
import { time } from '../ic/ic0';
import { beyondTime } from '../ic/ids';
import {
  maxBatches,
  maxInputBytes,
  maxUnfinished,
  mostSilentLooks,
  secondsWithoutLook,
  watchSeconds,
} from '../pacing/limits';
import { deadlineSeconds, queueLimit, queueLimitPerCaller, resultsStay } from '../setup/config';
import {
  callerOf,
  callerTableBytes,
  hasCallerTable,
  noCaller,
  placeCallerTable,
  unfinishedOf,
} from './callers';
import { noteCancelled } from './cancelled';
import { costsOf, noteEnded } from './ended';
import { firstToGo, keepsTooMuch, keptFirstSlot } from './kept';
import {
  batchesKnown,
  freePartialResult,
  hasCall,
  inputBytesHeld,
  isLive,
  move,
  openCalls,
  partIsOver,
  partLeftHead,
  RunState,
  takeSlot,
  unfinished,
  waitAgain,
} from './moves';
import { noteReleased } from './released';
import { measureResult } from './results';
import {
  batchOf,
  BatchState,
  findRun,
  freeId,
  hasRunTable,
  makeRunTable,
  Outcome,
  Run,
  runAt,
  slots,
} from './run';
import { findTask, firstTask, forgetTask, hasTaskTable,
  placeTaskTable,
  taskTableBytes, partAt, Task, tasksUnderWay } from './tasks';

const second: u64 = 1_000_000_000;
const pageBytes: usize = 65536;
/** The id the next run gets. */
export let nextId: u64 = 1;

/** Makes the head's tables where there are none; false where there is no heap for them. */
export function makeTables(): bool {
  return makeHotTables() && makeRunTable();
}

/**
 * The tables of tasks and callers lie in one block, at the beginning of a page: what is used of them most
 * is then one page, and each page that a message touches costs as much as some ten thousand instructions.
 */
function makeHotTables(): bool {
  if (hasTaskTable()) return true;
  const withCallers = !hasCallerTable();
  const bytes = taskTableBytes + (withCallers ? callerTableBytes : 0);
  const block = allocAligned(bytes, pageBytes);
  if (block == 0) return false;
  memory.fill(block, 0, bytes);
  placeTaskTable(block);
  if (withCallers) placeCallerTable(block + taskTableBytes);
  return true;
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
 * Admits a run of `batchCount` micro-batches whose entries are not yet filled in, to be given up so many
 * seconds from now (0: as configured). The address of the run; 0 with a failure's text where a limit is
 * reached.
 */
export function admit(
  mode: u32,
  owner: usize,
  batchCount: u32,
  bytes: u32,
  seconds: u32,
  now: u64,
): usize {
  const limit = min(queueLimit, maxUnfinished);
  if (unfinished >= limit) return busy('requests not finished', limit);
  const caller = callerOf(owner);
  if (caller == noCaller) return busy('callers', slots);
  if (unfinishedOf(caller) >= queueLimitPerCaller) {
    return busy('requests of one caller', queueLimitPerCaller);
  }
  if (inputBytesHeld + bytes > maxInputBytes) return busy('bytes of waiting inputs', maxInputBytes);
  while (batchesKnown + batchCount > maxBatches) {
    if (!dropOneResult()) return busy('micro-batches', maxBatches);
  }
  const next = beyondTime(nextId, slots);
  let id = freeId(next);
  if (id == 0 && dropOneResult()) id = freeId(next);
  if (id == 0) return busy('requests', slots);
  const run = runAt(<u32>(id % slots));
  if (!takeSlot(run, id, caller, batchCount)) return busy('bytes of heap', memory.size() << 16);
  nextId = id + 1;
  run.mode = mode;
  run.inputBytes = bytes;
  run.deadline = now + <u64>(seconds == 0 ? deadlineSeconds : seconds) * second;
  return changetype<usize>(run);
}

/** Takes back the admission of a run that is not in line yet. */
export function withdraw(run: Run): void {
  move(run, RunState.free);
}

/** Puts an admitted run, its micro-batches filled in, in its caller's line. */
export function line(run: Run, now: u64): void {
  move(run, run.mode == EnqueueMode.wait ? RunState.awaited : RunState.active);
  run.lookedAt = now;
}

/** Takes one report of a part; the run it belongs to, 0 where it is unknown or was reported. */
function report(taskId: u64, runId: u64, index: u32): usize {
  const address = findTask(taskId);
  if (address == 0) return 0;
  const task = changetype<Task>(address);
  for (let i: u32 = 0; i < task.partCount; i++) {
    const part = partAt(task.parts, i);
    if (part.runId != runId || part.index != index || part.isOver != 0) continue;
    part.isOver = 1;
    const run = findRun(runId);
    if (run != 0) partIsOver(changetype<Run>(run));
    if (--task.partsLeft == 0 && task.isAtHead == 0) forgetTask(task);
    return run;
  }
  return 0;
}

/** Takes the result of a part; `message`, the `PartResult` that brought it, is ours from now on. */
export function partDone(
  taskId: u64,
  runId: u64,
  index: u32,
  message: usize,
  bytes: u32,
  bundleBytes: u32,
): void {
  const address = report(taskId, runId, index);
  if (address == 0 || !isLive(changetype<Run>(address))) {
    release(message);
    noteReleased(runId);
    return;
  }
  const run = changetype<Run>(address);
  const batch = batchOf(run, index);
  batch.state = BatchState.done;
  if (resultsStay) release(message);
  else {
    batch.result = message;
    batch.resultBytes = bytes;
    batch.bundleBytes = bundleBytes;
  }
  if (++run.batchesDone == run.batchCount) finish(run, Outcome.done);
}

/**
 * A task came to nothing at `stage`, with `[code] text`. Where it carried rows of several runs, or several
 * of one, each goes again in a task of its own; else its run fails.
 */
export function taskFailed(taskId: u64, stage: u32, reason: usize, bytes: u32): void {
  const address = findTask(taskId);
  if (address == 0) return;
  const task = changetype<Task>(address);
  const isShared = task.partCount > 1;
  for (let i: u32 = 0; i < task.partCount; i++) {
    const part = partAt(task.parts, i);
    if (part.isOver != 0) continue;
    part.isOver = 1;
    task.partsLeft--;
    const found = findRun(part.runId);
    if (found == 0) continue;
    const run = changetype<Run>(found);
    partIsOver(run);
    if (isShared) waitAgain(run, part.index);
    else failRun(run, stage, reason, bytes);
  }
  if (task.isAtHead == 0) forgetTask(task);
}

/** The head has done its part of a task, or given it up. */
export function leftHead(taskId: u64): void {
  const address = findTask(taskId);
  if (address == 0) return;
  const task = changetype<Task>(address);
  if (task.isAtHead == 0) return;
  task.isAtHead = 0;
  for (let i: u32 = 0; i < task.partCount; i++) {
    const run = findRun(partAt(task.parts, i).runId);
    if (run != 0) partLeftHead(changetype<Run>(run));
  }
  if (task.partsLeft == 0) forgetTask(task);
}

/** Whether nobody waits for a task any more. */
export function isUnwanted(taskId: u64): bool {
  const address = findTask(taskId);
  return address == 0 || changetype<Task>(address).partsLeft == 0;
}

/** Nobody waits for what is under way of this run; stages are told which tasks are for nothing. */
function dropParts(run: Run): void {
  const id = run.id;
  for (let at = firstTask(); at != 0 && run.partsOut > 0;) {
    const task = changetype<Task>(at);
    at = task.next;
    let isConcerned = false;
    for (let i: u32 = 0; i < task.partCount; i++) {
      const part = partAt(task.parts, i);
      if (part.runId != id || part.isOver != 0) continue;
      part.isOver = 1;
      task.partsLeft--;
      partIsOver(run);
      isConcerned = true;
    }
    if (!isConcerned || task.partsLeft > 0 || task.isAtHead != 0) continue;
    noteCancelled(task.id);
    forgetTask(task);
  }
}

function failRun(run: Run, stage: u32, reason: usize, bytes: u32): void {
  if (!isLive(run)) return;
  if (run.batchesDone > 0) noteReleased(run.id);
  dropParts(run);
  const kept = alloc(bytes);
  if (kept != 0) memory.copy(kept, reason, bytes);
  run.failure = kept;
  run.failureBytes = kept == 0 ? 0 : bytes;
  run.failedStage = stage;
  run.costs = costsOf(run.batches, run.batchCount);
  freePartialResult(run);
  finish(run, Outcome.failed);
}

/** Fails a run with the failure of `tensor/errors`. */
function failRunWithText(run: Run): void {
  const reason = composeFailure();
  failRun(run, 0, reason, failureLength());
}

function finish(run: Run, outcome: u32): void {
  run.outcome = outcome;
  if (!isElsewhere(run)) measureResult(run);
  if (run.state == RunState.awaited) move(run, RunState.owed);
  else settle(run);
}

/** Whether the result of a run is at the last stage, all of it. */
export function isElsewhere(run: Run): bool {
  return resultsStay && run.outcome == Outcome.done;
}

/** No call will take the result of a finished run: it is kept where it is here, else forgotten. */
export function settle(run: Run): void {
  move(run, isElsewhere(run) ? RunState.ending : RunState.kept);
  while (keepsTooMuch()) dropOneResult();
}

/** Forgets the oldest result of the caller that holds most; false when none is kept. */
function dropOneResult(): bool {
  const slot = firstToGo();
  if (slot == 0) return false;
  noteEnded(runAt(slot - 1));
  move(runAt(slot - 1), RunState.ending);
  return true;
}

/** Ends the call that waits for a run; the run goes on, or its result is kept. */
export function endCall(run: Run): void {
  if (run.state == RunState.awaited) move(run, RunState.active);
  else if (run.state == RunState.owed) settle(run);
}

/** Nobody wants the result of a finished run any more. */
export function forget(run: Run): void {
  move(run, RunState.ending);
}

/** The caller takes a run back: nothing of it is worked on that is not begun; a call gets `cancelled`. */
export function cancel(run: Run): void {
  if (isLive(run)) {
    fail(CanisterError.cancelled);
    text('the request was released before it was finished');
    failRunWithText(run);
  }
  if (run.state == RunState.kept) forget(run);
}

/** Forgets all runs; none may be live. */
export function forgetAllRuns(): void {
  while (keptFirstSlot() != 0) forget(runAt(keptFirstSlot() - 1));
  if (!hasRunTable()) return;
  for (let slot: u32 = 0; slot < slots; slot++) {
    const run = runAt(slot);
    if (run.state == RunState.owed) forget(run);
  }
}

/** Gives up tasks of which there is no news, and runs whose time is over. */
export function watchRuns(): void {
  if (!hasRunTable()) return;
  for (let at = firstTask(); at != 0;) {
    const task = changetype<Task>(at);
    at = task.next;
    if (++task.silentLooks > mostSilentLooks) giveUpTask(task.id);
    // What was given up may have taken others with it.
    if (at != 0 && !isInList(at)) at = firstTask();
  }
  if (unfinished == 0 && openCalls == 0) return;
  const now = time();
  for (let slot: u32 = 0; slot < slots; slot++) {
    const run = runAt(slot);
    if (run.id == 0) continue;
    if (isLive(run) && run.deadline < now) giveUpRun(run);
    if (hasCall(run) && run.lookedAt + secondsWithoutLook * second < now) endCall(run);
  }
}

function isInList(address: usize): bool {
  for (let at = firstTask(); at != 0; at = changetype<Task>(at).next) {
    if (at == address) return true;
  }
  return false;
}

function giveUpTask(taskId: u64): void {
  fail(CanisterError.nextStage);
  text('no news of its tasks for ');
  number(mostSilentLooks * watchSeconds);
  text(' s; a stage may have been reinstalled');
  const reason = composeFailure();
  taskFailed(taskId, 0, reason, failureLength());
}

function giveUpRun(run: Run): void {
  fail(CanisterError.deadline);
  text('the request was not finished before its deadline; ');
  number(run.batchesDone);
  text(' of its ');
  number(run.batchCount);
  text(' micro-batches were done');
  failRunWithText(run);
  if (run.outcome == Outcome.failed) noteEnded(run);
}

/** Whether there is something to watch. */
export function hasLiveRuns(): bool {
  return unfinished > 0 || tasksUnderWay > 0;
}
