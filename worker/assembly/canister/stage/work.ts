/**
 * The task this stage works on. It is chosen at the end of the message before, so that a message
 * that traps, and is rolled back, leaves no doubt which task was to blame.
 */
import { CanisterError, maxStageMessageBytes, stageTraceBytes, taskHeaderBytes, taskLengthBytes, traceCountAt } from '../../generated/constants';
import { DONE, FAILED } from '../../ops/index';
import { advance, beginTask, endTask, mostHeld } from '../../program/interpreter';
import { readInputs } from '../../program/inputs';
import {
  outputBytes,
  outputHeadBytes,
  outputSegments,
  segmentAt,
  segmentBytes,
  writeOutputs,
} from '../../program/outputs';
import { setBudget } from '../../tensor/budget';
import { fail, number, text } from '../../tensor/errors';
import { alloc, release } from '../../tensor/memory';
import { messageBudget } from '../pacing/budget';
import { isHead, isLast, keepsResults, stageIndex } from '../setup/config';
import { performance_counter } from '../ic/ic0';
import { maxTasks } from '../pacing/limits';
import {
  addDelivery,
  collect,
  costOfCollected,
  costOfSending,
  Delivery,
  DeliveryKind,
  freeDelivery,
  newDelivery,
  newReport,
  reportBytes,
  reportFailure,
} from './outbox';
import { unfinishedOf } from '../head/callers';
import { Run, taskOf } from '../head/run';
import { launch, leftHead, taskDone } from '../head/runs';
import { keepTask } from './kept';

/** What a call costs after its trace was written: 50 a byte, and the calls of the system interface. */
const instructionsPerByteSent: u64 = 50;
const instructionsPerSegment: u64 = 600;
const instructionsPerCall: u64 = 10_000;

/** Urgent tasks that go before one that waits; later ones go behind it. */
const mostOvertaking: u32 = 16;

@unmanaged
export class Work {
  runId: u64;
  /** Counted over the messages before this one. */
  instructions: u64;
  taskIndex: u32;
  taskCount: u32;
  messages: u32;
  bytesReceived: u32;
  traceCount: u32;
  traces: usize;
  bundle: usize;
  bundleBytes: u32;
  /** Block with the `Task` message; 0 where the bundle lies in a run of the head. */
  message: usize;
  /** 1 once the program runs for it. */
  isBegun: u32;
  /** 1 where its caller waits for nothing else: it goes before others that wait. */
  isUrgent: u32;
  /** Urgent tasks that came later and went before it. */
  overtakenBy: u32;
  next: usize;
}

/** The task under way, 0 when there is none. */
export let current: usize = 0;
/** Tasks that came while another was under way. */
let inboxFirst: usize = 0;
let inboxLast: usize = 0;
export let inboxCount: u32 = 0;
export let tasksFinished: u64 = 0;
export let instructionsUsed: u64 = 0;
/** Performance counter at which this message began to work on the current task. */
let startedAt: u64 = 0;

export function restoreCounters(tasks: u64, instructions: u64): void {
  tasksFinished = tasks;
  instructionsUsed = instructions;
}

export function firstInInbox(): usize {
  return inboxFirst;
}

function newWork(): usize {
  const address = alloc(offsetof<Work>());
  if (address != 0) memory.fill(address, 0, offsetof<Work>());
  return address;
}

/** Adds a `Task` message to the inbox; its form was checked. False where there is no heap. */
export function addMessage(message: usize, bytes: u32): bool {
  const address = newWork();
  if (address == 0) return false;
  const work = changetype<Work>(address);
  work.runId = load<u64>(message);
  work.taskIndex = load<u32>(message, 8);
  work.taskCount = load<u32>(message, 12);
  work.traceCount = load<u32>(message, traceCountAt);
  work.traces = message + taskHeaderBytes;
  work.bundle = work.traces + <usize>work.traceCount * stageTraceBytes;
  work.bundleBytes = bytes - <u32>(work.bundle - message);
  work.bytesReceived = bytes;
  work.isUrgent = load<u32>(message, 16);
  work.message = message;
  addToInbox(work);
  return true;
}

/** Whether urgent tasks that come now go behind a task in the line. */
function isAhead(work: Work): bool {
  return work.isUrgent != 0 || work.overtakenBy >= mostOvertaking;
}

/**
 * Puts a task in the line: others at its end, urgent ones before them, but behind urgent ones and those
 * that were overtaken often, so that none waits for ever.
 */
function addToInbox(work: Work): void {
  const address = changetype<usize>(work);
  inboxCount++;
  let before = inboxLast;
  if (work.isUrgent != 0) {
    before = 0;
    let at = inboxFirst;
    while (at != 0 && isAhead(changetype<Work>(at))) {
      before = at;
      at = changetype<Work>(at).next;
    }
    for (; at != 0; at = changetype<Work>(at).next) changetype<Work>(at).overtakenBy++;
  }
  if (before == 0) {
    work.next = inboxFirst;
    inboxFirst = address;
  } else {
    work.next = changetype<Work>(before).next;
    changetype<Work>(before).next = address;
  }
  if (work.next == 0) inboxLast = address;
}

/** Makes the task of a run of the head the current one. False where there is no heap. */
function takeFromRun(run: Run, taskIndex: u32): bool {
  const address = newWork();
  if (address == 0) return false;
  const work = changetype<Work>(address);
  const task = taskOf(run, taskIndex);
  work.runId = run.id;
  work.taskIndex = taskIndex;
  work.taskCount = run.taskCount;
  work.isUrgent = run.taskCount == 1 && unfinishedOf(run.caller) == 1 ? 1 : 0;
  work.bundle = run.input + task.offset;
  work.bundleBytes = task.length;
  work.bytesReceived = task.length;
  current = address;
  return true;
}

/** Puts the task the head was at before an upgrade back. */
export function resumeRun(run: Run, taskIndex: u32): bool {
  return takeFromRun(run, taskIndex);
}

/** What a task takes in this stage, by those finished so far; 0 before the first. */
function instructionsPerTask(): u64 {
  return tasksFinished == 0 ? 0 : instructionsUsed / tasksFinished;
}

/** Tasks that one message has room for. */
function tasksPerMessage(): u32 {
  const perTask = instructionsPerTask();
  if (perTask == 0) return 1;
  return <u32>min<u64>(max<u64>(1, messageBudget() / perTask), maxTasks);
}

/** Chooses the next task where none is under way. */
export function chooseTask(): void {
  while (current == 0) {
    if (inboxFirst != 0) {
      current = inboxFirst;
      inboxFirst = changetype<Work>(current).next;
      if (inboxFirst == 0) inboxLast = 0;
      inboxCount--;
      return;
    }
    if (!isHead()) return;
    const address = launch(tasksPerMessage());
    if (address == 0) return;
    const run = changetype<Run>(address);
    const taskIndex = run.tasksLaunched - 1;
    if (takeFromRun(run, taskIndex)) return;
    const id = run.id;
    failHeap();
    reportFailure(id, taskIndex);
    leftHead(id);
  }
}

export function failHeap(): void {
  fail(CanisterError.outOfMemory);
  text('stage ');
  number(stageIndex);
  text(' has no heap left for the task; use smaller inputs or more workers');
}

/** Part of the budget that only the end of a task may use: a task done in this message needs no other. */
const finishing: u64 = 128;

function lessAtMostHalf(budget: u64, instructions: u64): u64 {
  return budget - min(instructions, budget / 2);
}

/** Instructions after which this message begins no further task: what it sends must fit the budget too. */
export function workBudget(): u64 {
  const budget = messageBudget();
  return lessAtMostHalf(budget - budget / finishing, costOfCollected());
}

/**
 * Instructions after which this message's work on a task ends: late enough that it is done, where by
 * experience it then will be.
 */
function taskBudget(task: Work): u64 {
  const budget = messageBudget();
  const usual = instructionsPerTask();
  const left = usual - min(usual, task.instructions);
  const isWhole = performance_counter(0) + costOfCollected() + left <= budget;
  return usual == 0 || isWhole ? lessAtMostHalf(budget, costOfSending()) : workBudget();
}

/**
 * Works on the current task until it is done, has failed, or has used this message's budget.
 * `isFirst`: what the message used before counts for this task.
 */
export function work(isFirst: bool): void {
  startedAt = isFirst ? 0 : performance_counter(0);
  const task = changetype<Work>(current);
  task.messages++;
  setBudget(taskBudget(task));
  if (task.isBegun == 0) {
    if (!readInputs(task.bundle, task.bundleBytes, true)) {
      failWork();
      return;
    }
    beginTask(task.bundleBytes);
    task.isBegun = 1;
  }
  const status = advance();
  if (status == DONE) finishWork(task);
  else if (status == FAILED) failWork();
  else {
    const used = performance_counter(0) - startedAt;
    task.instructions += used;
    instructionsUsed += used;
  }
}

/** Fails the current task with the failure of `tensor/errors`. */
export function failWork(): void {
  const task = changetype<Work>(current);
  reportFailure(task.runId, task.taskIndex);
  instructionsUsed += performance_counter(0) - startedAt;
  dropCurrent(task, true);
}

function dropCurrent(task: Work, withMessage: bool): void {
  const id = task.runId;
  if (task.isBegun != 0) endTask();
  if (withMessage) release(task.message);
  current = 0;
  release(changetype<usize>(task));
  if (isHead()) leftHead(id);
}

/** Writes a `Task` up to its bundle: the header and the traces with this stage's at the end. */
function writeHeader(task: Work, out: usize, bytesSent: u32, costOfSending: u64): void {
  store<u64>(out, task.runId);
  store<u32>(out, task.taskIndex, 8);
  store<u32>(out, task.taskCount, 12);
  store<u32>(out, task.isUrgent, 16);
  store<u32>(out, task.traceCount + 1, traceCountAt);
  const before = <usize>task.traceCount * stageTraceBytes;
  memory.copy(out + taskHeaderBytes, task.traces, before);
  const used = performance_counter(0) - startedAt + costOfSending;
  instructionsUsed += used;
  const trace = out + taskHeaderBytes + before;
  store<u64>(trace, task.instructions + used);
  store<u32>(trace, task.messages, 8);
  store<u32>(trace, task.bytesReceived, 12);
  store<u32>(trace, bytesSent, 16);
  store<u32>(trace, <u32>mostHeld, 20);
  store<u64>(trace, 0, 24);
}

/** The task's program is done: hands its outputs on. */
function finishWork(task: Work): void {
  const named = isLast();
  const staysHere = isLast() && (isHead() || keepsResults());
  const headerBytes =
    (staysHere ? 0 : taskLengthBytes) +
    taskHeaderBytes +
    (task.traceCount + 1) * stageTraceBytes;
  const total = outputBytes(named) + headerBytes;
  if (total > maxStageMessageBytes && !staysHere) {
    fail(CanisterError.unsupported);
    text('the outputs of stage ');
    number(stageIndex);
    text(' take ');
    number(total);
    text(' bytes; a message between canisters holds ');
    number(maxStageMessageBytes);
    text('; use smaller micro-batches or cut the model elsewhere');
    failWork();
    return;
  }
  const listAt = (headerBytes + outputHeadBytes(named) + 7) & ~7;
  const segmentCount = outputSegments() + 1;
  const block = alloc(listAt + segmentCount * <u32>segmentBytes);
  const kind = isLast() ? DeliveryKind.done : DeliveryKind.run;
  const address = newDelivery(kind, task.runId, task.taskIndex);
  if (block == 0 || address == 0) {
    release(block);
    release(address);
    failHeap();
    failWork();
    return;
  }
  const delivery = changetype<Delivery>(address);
  delivery.header = block;
  delivery.segments = block + listAt;
  delivery.segmentCount = segmentCount;
  delivery.bytes = <u32>total;
  const header = segmentAt(delivery.segments, 0);
  header.bytes = block;
  header.length = headerBytes;
  header.block = 0;
  writeOutputs(block + headerBytes, delivery.segments + segmentBytes, named);
  if (staysHere) {
    keepHere(task, delivery);
    return;
  }
  // Inputs that pass through lie in the message, which then stays as long as the delivery. At the
  // head they lie in the run, which may be gone before.
  if (isHead() && !copyBorrowed(task, delivery)) {
    freeDelivery(delivery);
    failHeap();
    failWork();
    return;
  }
  tasksFinished++;
  const cost =
    instructionsPerCall +
    instructionsPerByteSent * total +
    instructionsPerSegment * delivery.segmentCount;
  store<u32>(block, delivery.bytes - taskLengthBytes);
  writeHeader(task, block + taskLengthBytes, delivery.bytes, cost);
  delivery.input = task.message;
  addDelivery(delivery);
  dropCurrent(task, false);
  collect(delivery);
}

/** Gives pieces that lie in the run's input their own blocks; false where there is no heap. */
function copyBorrowed(task: Work, delivery: Delivery): bool {
  for (let i: u32 = 1; i < delivery.segmentCount; i++) {
    const segment = segmentAt(delivery.segments, i);
    const inInput = segment.bytes >= task.bundle && segment.bytes < task.bundle + task.bundleBytes;
    if (!inInput) continue;
    const copy = alloc(segment.length);
    if (copy == 0) return false;
    memory.copy(copy, segment.bytes, segment.length);
    segment.bytes = copy;
    segment.block = copy;
  }
  return true;
}

/**
 * The result of a task stays here, in one block: with the run where this is the only stage, else
 * until it is fetched, and the head only hears that it is there.
 */
function keepHere(task: Work, delivery: Delivery): void {
  const bytes = delivery.bytes;
  const headerBytes = segmentAt(delivery.segments, 0).length;
  const message = alloc(bytes);
  const report: usize = isHead() ? 0 : newReport(task.runId, task.taskIndex, task.taskCount);
  if (message == 0 || (report == 0 && !isHead()) || !keepTaskHere(task, message, bytes, headerBytes)) {
    release(message);
    if (report != 0) freeDelivery(changetype<Delivery>(report));
    freeDelivery(delivery);
    failHeap();
    failWork();
    return;
  }
  let at = message + headerBytes;
  for (let i: u32 = 1; i < delivery.segmentCount; i++) {
    const segment = segmentAt(delivery.segments, i);
    memory.copy(at, segment.bytes, segment.length);
    at += segment.length;
  }
  tasksFinished++;
  const sent = isHead() ? 0 : reportBytes;
  writeHeader(task, message, sent, isHead() ? 0 : instructionsPerCall + instructionsPerByteSent * sent);
  freeDelivery(delivery);
  const runId = task.runId;
  const taskIndex = task.taskIndex;
  dropCurrent(task, true);
  if (isHead()) {
    taskDone(runId, taskIndex, message, bytes, bytes - headerBytes);
    return;
  }
  addDelivery(changetype<Delivery>(report));
  collect(changetype<Delivery>(report));
}

/** Where this is not the only stage, makes the message the task's result; false where there is no heap. */
function keepTaskHere(task: Work, message: usize, bytes: u32, headerBytes: u32): bool {
  if (isHead()) return true;
  return keepTask(
    task.runId,
    task.taskIndex,
    task.taskCount,
    message,
    bytes,
    bytes - headerBytes,
  );
}
