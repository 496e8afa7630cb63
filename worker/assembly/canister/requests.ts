/** Life of a request at the head: admitted, launched task by task, finished, given back. */
import { CanisterError, EnqueueMode } from '../generated/constants';
import { fail, number, text } from '../tensor/errors';
import { alloc, release } from '../tensor/memory';
import { noteEnd } from './budget';
import {
  addToCaller,
  callerBegan,
  callerFinished,
  callerOf,
  makeCallerTable,
  noCaller,
  removeFromCaller,
  takeTurn,
  unfinishedOf,
} from './callers';
import { hasOwnThread, paced, queueLimit, queueLimitPerCaller, resultsStay, stageCount } from './config';
import { time } from './ic0';
import { addKept, keepsTooMuch, keptFirstSlot, removeKept } from './kept';
import {
  maxTasks,
  maxUnfinished,
  maxWaitingBytes,
  silenceSeconds,
  messagesUnderWayPerStage,
  tasksUnderWayMore,
} from './limits';
import { composeFailure, failureLength } from './message';
import {
  clearRequest,
  findRequest,
  hasRequestTable,
  makeRequestTable,
  freeId,
  Request,
  requestAt,
  RequestState,
  slotOf,
  slots,
  taskEntryBytes,
  taskOf,
} from './request';
import { measureResult } from './results';
import { unwanted } from './unwanted';

/** The id the next request gets. */
export let nextId: u64 = 1;
/** Requests not finished. */
export let unfinished: u32 = 0;
/** Calls that wait for a result. */
export let openCalls: u32 = 0;
/** Tasks launched and not yet reported, over all requests. */
export let tasksUnderWay: u32 = 0;
/** Tasks admitted and not yet launched. */
let tasksWaiting: u32 = 0;
/** Tasks of all requests in the table. */
let tasksKnown: u32 = 0;
let waitingBytes: u64 = 0;

/** Makes the head's tables where there are none; false where there is no heap for them. */
export function makeTables(): bool {
  return makeCallerTable() && makeRequestTable();
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
 * Admits a request of `taskCount` tasks whose entries are not yet filled in. The address of the
 * request; 0 with a failure's text where a limit is reached.
 */
export function admit(mode: u32, callerKey: u64, taskCount: u32, bytes: u32): usize {
  const limit = min(queueLimit, maxUnfinished);
  if (unfinished >= limit) return busy('requests not finished', limit);
  const caller = callerOf(callerKey);
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
  const request = requestAt(<u32>(id % slots));
  request.id = id;
  request.callerKey = callerKey;
  request.caller = caller;
  request.mode = mode;
  request.taskCount = taskCount;
  request.tasks = tasks;
  request.isOpen = mode == EnqueueMode.wait ? 1 : 0;
  nextId = id + 1;
  unfinished++;
  openCalls += request.isOpen;
  tasksKnown += taskCount;
  return changetype<usize>(request);
}

/** Takes back the admission of a request that is not in line yet. */
export function withdraw(request: Request): void {
  unfinished--;
  openCalls -= request.isOpen;
  tasksKnown -= request.taskCount;
  release(request.tasks);
  clearRequest(request);
}

/** Puts an admitted request, its tasks filled in, in its caller's line. */
export function line(request: Request): void {
  callerBegan(request.caller);
  addToCaller(request.caller, slotOf(request));
  waitingBytes += request.inputBytes;
  tasksWaiting += request.taskCount;
}

/** Puts a request that an upgrade saved in the table again. */
export function restoreRequest(saved: Request): usize {
  const request = requestAt(<u32>(saved.id % slots));
  memory.copy(changetype<usize>(request), changetype<usize>(saved), offsetof<Request>());
  request.next = 0;
  request.isKept = 0;
  request.keptNext = 0;
  tasksKnown += request.taskCount;
  tasksUnderWay += request.underWay;
  openCalls += request.isOpen;
  if (request.state == RequestState.active) {
    unfinished++;
    request.caller = callerOf(request.callerKey);
    callerBegan(request.caller);
    waitingBytes += request.inputBytes;
    if (request.tasksLaunched < request.taskCount) addToCaller(request.caller, slotOf(request));
    tasksWaiting += request.taskCount - request.tasksLaunched;
  }
  return changetype<usize>(request);
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
 * The request whose next task is to be launched now, 0 when none is or the pipeline is full.
 * `tasksPerMessage` is how many tasks a message of the head holds by experience.
 */
export function launch(tasksPerMessage: u32): usize {
  const full = messagesUnderWayPerStage * stageCount * tasksPerMessage + tasksUnderWayMore;
  if (paced && tasksUnderWay >= full) return 0;
  const turn = takeTurn();
  if (turn == 0) return 0;
  const request = requestAt(turn - 1);
  request.tasksLaunched++;
  request.underWay++;
  request.isAtHead = 1;
  request.lastNews = time();
  tasksUnderWay++;
  tasksWaiting--;
  if (request.tasksLaunched == request.taskCount) removeFromCaller(request.caller, turn - 1);
  return changetype<usize>(request);
}

/** Frees the input of a request once no task needs it. */
function freeInput(request: Request): void {
  if (request.input == 0 || request.isAtHead != 0) return;
  if (request.state == RequestState.active && request.tasksLaunched < request.taskCount) return;
  waitingBytes -= request.inputBytes;
  release(request.input);
  request.input = 0;
  request.inputBytes = 0;
}

/** The head has done its part of a task of this request. */
export function leftHead(id: u64): void {
  const address = findRequest(id);
  if (address == 0) return;
  const request = changetype<Request>(address);
  request.isAtHead = 0;
  freeInput(request);
}

/** Takes one report of a task; the request it belongs to, 0 where it is unknown or was reported. */
function report(id: u64, taskIndex: u32): usize {
  const address = findRequest(id);
  if (address == 0) return 0;
  const request = changetype<Request>(address);
  if (taskIndex >= request.taskCount) return 0;
  const task = taskOf(request, taskIndex);
  if (task.isReported != 0 || request.underWay == 0) return 0;
  task.isReported = 1;
  request.underWay--;
  request.lastNews = time();
  tasksUnderWay--;
  return address;
}

/** Takes the result of a task; `message`, the `Task` that brought it, is ours from now on. */
export function taskDone(id: u64, taskIndex: u32, message: usize, bytes: u32, bundle: u32): void {
  const address = report(id, taskIndex);
  if (address == 0) {
    release(message);
    unwanted(id);
    return;
  }
  const request = changetype<Request>(address);
  if (request.state != RequestState.active) {
    release(message);
    unwanted(id);
    leaveIfForgotten(request);
    return;
  }
  if (resultsStay) release(message);
  else {
    const task = taskOf(request, taskIndex);
    task.result = message;
    task.resultBytes = bytes;
    task.bundleBytes = bundle;
  }
  request.tasksDone++;
  if (request.tasksDone == request.taskCount) finish(request, RequestState.done);
}

/** A task failed at `stage`: its whole request fails with `[code] text`, copied from `reason`. */
export function taskFailed(id: u64, taskIndex: u32, stage: u32, reason: usize, bytes: u32): void {
  const address = report(id, taskIndex);
  if (address == 0) return;
  const request = changetype<Request>(address);
  if (request.state == RequestState.active) failRequest(request, stage, reason, bytes);
  else leaveIfForgotten(request);
}

function failRequest(request: Request, stage: u32, reason: usize, bytes: u32): void {
  if (request.tasksDone > 0) unwanted(request.id);
  tasksWaiting -= request.taskCount - request.tasksLaunched;
  removeFromCaller(request.caller, slotOf(request));
  const kept = alloc(bytes);
  if (kept != 0) memory.copy(kept, reason, bytes);
  request.failure = kept;
  request.failureBytes = kept == 0 ? 0 : bytes;
  request.failedStage = stage;
  freeResults(request);
  finish(request, RequestState.failed);
  freeInput(request);
}

function freeResults(request: Request): void {
  for (let index: u32 = 0; index < request.taskCount; index++) {
    const task = taskOf(request, index);
    release(task.result);
    task.result = 0;
  }
}

function finish(request: Request, state: u32): void {
  request.state = state;
  unfinished--;
  noteEnd();
  callerFinished(request.caller);
  if (!isElsewhere(request)) measureResult(request);
  if (request.isOpen == 0) settle(request);
}

/** Whether the result of a request is at the last stage, all of it. */
export function isElsewhere(request: Request): bool {
  return resultsStay && request.state == RequestState.done;
}

/** No call waits for a finished request: its result is kept where it is here, else it is forgotten. */
export function settle(request: Request): void {
  if (isElsewhere(request)) forget(request);
  else keepResult(request);
}

/** Keeps a finished result for `fetch`; older ones make room for it. */
export function keepResult(request: Request): void {
  addKept(request);
  while (keepsTooMuch()) dropOldestResult();
}

/** Forgets the oldest result kept; false when none is. */
export function dropOldestResult(): bool {
  const first = keptFirstSlot();
  if (first == 0) return false;
  forget(requestAt(first - 1));
  return true;
}

/** Nobody wants the result any more: frees it, and the slot as soon as no task is under way. */
export function forget(request: Request): void {
  removeKept(request);
  freeResults(request);
  release(request.failure);
  request.failure = 0;
  request.isForgotten = 1;
  leaveIfForgotten(request);
}

/** Ends the call that waited for a request; its result was given or is kept. */
export function closeCall(request: Request): void {
  if (request.isOpen == 0) return;
  request.isOpen = 0;
  openCalls--;
}

function leaveIfForgotten(request: Request): void {
  if (request.isForgotten == 0 || request.underWay > 0) return;
  tasksKnown -= request.taskCount;
  release(request.tasks);
  release(request.input);
  waitingBytes -= request.inputBytes;
  clearRequest(request);
}

/** The caller takes a request back: what waits is not launched; a call that waits gets `cancelled`. */
export function cancel(request: Request): void {
  if (request.state == RequestState.active) {
    fail(CanisterError.cancelled);
    text('the request was released before it was finished');
    const reason = composeFailure();
    failRequest(request, 0, reason, failureLength());
  }
  if (request.isOpen == 0) forget(request);
}

/** Fails requests whose tasks under way were lost. True while there is something to watch. */
export function failSilent(): bool {
  if (!hasRequestTable()) return false;
  const oldest = time() - silenceSeconds * 1_000_000_000;
  let watching = false;
  for (let slot: u32 = 0; slot < slots; slot++) {
    const request = requestAt(slot);
    if (request.id == 0 || request.underWay == 0) continue;
    if (request.lastNews > oldest) {
      watching = true;
      continue;
    }
    tasksUnderWay -= request.underWay;
    request.underWay = 0;
    if (request.state != RequestState.active) {
      leaveIfForgotten(request);
      continue;
    }
    fail(CanisterError.nextStage);
    text('no news of its tasks for ');
    number(silenceSeconds);
    text(' s; a stage may have been reinstalled');
    const reason = composeFailure();
    failRequest(request, 0, reason, failureLength());
  }
  return watching || unfinished > 0;
}
