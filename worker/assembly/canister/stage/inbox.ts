/** Tasks at this stage: the one at work, those that wait, and how they get in line. */
import { stageTraceBytes, taskHeaderBytes } from '../../generated/constants';
import { addToJoined, beginJoining, joinedBytes, writeJoined } from '../../program/rows';
import { alloc, release } from '../../tensor/memory';
import { batchOf, findRun, Run } from '../head/run';
import { partAt, partBytes, Task } from '../head/tasks';

/** Urgent tasks that go before one that waits; later ones go behind it. */
const mostOvertaking: u32 = 16;

@unmanaged
export class Work {
  taskId: u64;
  /** Counted over the messages before this one. */
  instructions: u64;
  messages: u32;
  bytesReceived: u32;
  /** Table of parts as in the message; at the head it lies in the `Task`. */
  parts: usize;
  partCount: u32;
  /** Rows of all parts; 0 where they are not told apart. */
  rows: u32;
  traceCount: u32;
  traces: usize;
  bundle: usize;
  bundleBytes: u32;
  /** Block with the message, or with the rows put together; 0 where the bundle lies in a run's input. */
  message: usize;
  /** 1 once the program runs for it. */
  isBegun: u32;
  /** 1 where its caller waits for nothing else: it goes before others that wait. */
  isUrgent: u32;
  /** Urgent tasks that came later and went before it. */
  overtakenBy: u32;
  /** 1 where nobody waits for it any more. */
  isCancelled: u32;
  next: usize;
}

/** Tasks that came while another was under way. */
let first: usize = 0;
let last: usize = 0;
export let inboxCount: u32 = 0;

export function firstInInbox(): usize {
  return first;
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
  work.taskId = load<u64>(message);
  work.isUrgent = load<u32>(message, 8);
  work.partCount = load<u32>(message, 12);
  work.traceCount = load<u32>(message, 16);
  work.rows = load<u32>(message, 20);
  work.parts = message + taskHeaderBytes;
  work.traces = work.parts + <usize>work.partCount * partBytes();
  work.bundle = work.traces + <usize>work.traceCount * stageTraceBytes;
  work.bundleBytes = bytes - <u32>(work.bundle - message);
  work.bytesReceived = bytes;
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
  let before = last;
  if (work.isUrgent != 0) {
    before = 0;
    let at = first;
    while (at != 0 && isAhead(changetype<Work>(at))) {
      before = at;
      at = changetype<Work>(at).next;
    }
    for (; at != 0; at = changetype<Work>(at).next) changetype<Work>(at).overtakenBy++;
  }
  if (before == 0) {
    work.next = first;
    first = address;
  } else {
    work.next = changetype<Work>(before).next;
    changetype<Work>(before).next = address;
  }
  if (work.next == 0) last = address;
}

/** The first task in the line, no longer in it; 0 where there is none. */
export function takeFromInbox(): usize {
  const address = first;
  if (address == 0) return 0;
  first = changetype<Work>(address).next;
  if (first == 0) last = 0;
  inboxCount--;
  return address;
}

/** Takes a task out of the line and frees it; nothing where it is not there. */
export function dropFromInbox(taskId: u64): void {
  let before: usize = 0;
  for (let at = first; at != 0; before = at, at = changetype<Work>(at).next) {
    const work = changetype<Work>(at);
    if (work.taskId != taskId) continue;
    if (before == 0) first = work.next;
    else changetype<Work>(before).next = work.next;
    if (last == at) last = before;
    inboxCount--;
    release(work.message);
    release(at);
    return;
  }
}

function workWithoutRows(task: Task): usize {
  const address = newWork();
  if (address == 0) return 0;
  const work = changetype<Work>(address);
  work.taskId = task.id;
  work.parts = task.parts;
  work.partCount = task.partCount;
  work.rows = task.rows;
  work.isUrgent = task.isUrgent;
  return address;
}

/**
 * A task of the head as work. Its rows are read where they lie in the run's input; those of several
 * micro-batches are put together in a block. 0 where there is no heap.
 */
export function workOf(task: Task): usize {
  const address = workWithoutRows(task);
  if (address == 0) return 0;
  const work = changetype<Work>(address);
  const part = partAt(task.parts, 0);
  const run = changetype<Run>(findRun(part.runId));
  const batch = batchOf(run, part.index);
  work.bundle = run.input + batch.offset;
  work.bundleBytes = batch.length;
  if (task.partCount > 1 && !joinParts(work, task)) {
    release(address);
    return 0;
  }
  work.bytesReceived = work.bundleBytes;
  return address;
}

/** A task of the head whose rows an upgrade has brought along in a block. */
export function restoredWork(task: Task, message: usize, bytes: u32): usize {
  const address = workWithoutRows(task);
  if (address == 0) return 0;
  const work = changetype<Work>(address);
  work.bundle = message;
  work.bundleBytes = bytes;
  work.bytesReceived = bytes;
  work.message = message;
  return address;
}

function joinParts(work: Work, task: Task): bool {
  beginJoining();
  for (let i: u32 = 0; i < task.partCount; i++) {
    const part = partAt(task.parts, i);
    const run = changetype<Run>(findRun(part.runId));
    addToJoined(run.input + batchOf(run, part.index).offset);
  }
  const bytes = joinedBytes();
  const block = alloc(bytes);
  if (block == 0) return false;
  writeJoined(block);
  work.bundle = block;
  work.bundleBytes = bytes;
  work.message = block;
  return true;
}
