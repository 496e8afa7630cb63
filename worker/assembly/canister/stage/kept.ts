/**
 * Results that stay at the last stage until they are fetched and released: for each run the tasks
 * that are done, as they would have gone to the head.
 */
import { restoreBlock, restoreBytes, restoreU32, saveBytes, saveU32 } from '../../store/saved';
import { alloc, release } from '../../tensor/memory';
import { msg_arg_data_copy, msg_arg_data_size } from '../ic/ic0';
import { maxKeptBytes, maxKeptResults, maxTasks } from '../pacing/limits';
import { taskAt, TaskEntry, taskEntryBytes } from '../head/run';
import { doneHeaderBytes, encodedTaskBytes } from '../head/results';

@unmanaged
export class KeptResult {
  runId: u64;
  /** Of all results the oldest has the least; grows with every task. */
  age: u64;
  /** Of the encoded result, as far as its tasks are here. */
  bytes: u64;
  taskCount: u32;
  tasksHere: u32;
  /** `taskCount` entries of {@link TaskEntry}. */
  tasks: usize;
}

const field = memory.data(8, 8);
const entryBytes: usize = offsetof<KeptResult>();
/** One more than are kept: the newest comes before the oldest goes. */
const mostEntries: u32 = maxKeptResults + 1;
/** Entries without gaps, in no order. Only a last stage where results stay has the table. */
let table: usize = 0;
let count: u32 = 0;
let bytesKept: u64 = 0;
let tasksKept: u32 = 0;
let newest: u64 = 0;

function entryAt(index: u32): KeptResult {
  return changetype<KeptResult>(table + <usize>index * entryBytes);
}

/** Address of what is here of a run, 0 where nothing is. */
export function findKept(id: u64): usize {
  for (let index: u32 = 0; index < count; index++) {
    if (entryAt(index).runId == id) return changetype<usize>(entryAt(index));
  }
  return 0;
}

export function isComplete(result: KeptResult): bool {
  return result.tasksHere == result.taskCount;
}

/** Makes the table where there is none; false where there is no heap for it. */
export function makeKeptTable(): bool {
  if (table == 0) table = alloc(<usize>mostEntries * entryBytes);
  return table != 0;
}

/** A new entry without tasks; 0 where there is no heap. */
function addEntry(id: u64, taskCount: u32): usize {
  const bytes = <usize>taskCount * taskEntryBytes;
  const tasks = alloc(bytes);
  if (tasks == 0) return 0;
  memory.fill(tasks, 0, bytes);
  const result = entryAt(count++);
  result.runId = id;
  result.bytes = doneHeaderBytes;
  result.taskCount = taskCount;
  result.tasksHere = 0;
  result.tasks = tasks;
  bytesKept += result.bytes;
  return changetype<usize>(result);
}

/**
 * Keeps a finished task; `message`, its `Task`, is ours from now on. False, and nothing changed, where
 * there is no heap for it.
 */
export function keepTask(
  id: u64,
  taskIndex: u32,
  taskCount: u32,
  message: usize,
  bytes: u32,
  bundleBytes: u32,
): bool {
  let address = findKept(id);
  if (address != 0 && changetype<KeptResult>(address).taskCount != taskCount) {
    forgetEntry(changetype<KeptResult>(address));
    address = 0;
  }
  if (address == 0) address = addEntry(id, taskCount);
  if (address == 0) return false;
  const result = changetype<KeptResult>(address);
  const task = taskAt(result.tasks, taskIndex);
  dropTask(result, task);
  task.result = message;
  task.resultBytes = bytes;
  task.bundleBytes = bundleBytes;
  result.tasksHere++;
  result.bytes += encodedTaskBytes(bytes);
  result.age = ++newest;
  tasksKept++;
  bytesKept += encodedTaskBytes(bytes);
  pushOut();
  return true;
}

function dropTask(result: KeptResult, task: TaskEntry): void {
  if (task.result == 0) return;
  const bytes = encodedTaskBytes(task.resultBytes);
  release(task.result);
  task.result = 0;
  result.tasksHere--;
  result.bytes -= bytes;
  tasksKept--;
  bytesKept -= bytes;
}

/** Forgets the oldest results beyond the limits, complete or not, but never the newest. */
function pushOut(): void {
  while (
    count > 1 &&
    (count > maxKeptResults || bytesKept > maxKeptBytes || tasksKept > maxTasks)
  ) {
    let oldest = entryAt(0);
    for (let index: u32 = 1; index < count; index++) {
      if (entryAt(index).age < oldest.age) oldest = entryAt(index);
    }
    forgetEntry(oldest);
  }
}

function forgetEntry(result: KeptResult): void {
  for (let index: u32 = 0; index < result.taskCount; index++) {
    dropTask(result, taskAt(result.tasks, index));
  }
  release(result.tasks);
  bytesKept -= result.bytes;
  count--;
  memory.copy(changetype<usize>(result), changetype<usize>(entryAt(count)), entryBytes);
}

/** Forgets all results. */
export function forgetAllKept(): void {
  while (count > 0) forgetEntry(entryAt(count - 1));
}

/** Forgets what is here of a run; whether that was the whole result. */
export function forgetKept(id: u64): bool {
  const address = findKept(id);
  if (address == 0) return false;
  const wasComplete = isComplete(changetype<KeptResult>(address));
  forgetEntry(changetype<KeptResult>(address));
  return wasComplete;
}

/** The head's reply to `done` is the argument: forgets what it names. */
export function releaseNamed(): void {
  const size = msg_arg_data_size();
  for (let at: usize = 0; at + 8 <= size; at += 8) {
    msg_arg_data_copy(field, at, 8);
    forgetKept(load<u64>(field));
  }
}

export function saveKept(): void {
  saveU32(count);
  for (let at: u32 = 0; at < count; at++) {
    const result = entryAt(at);
    saveBytes(changetype<usize>(result), <u32>entryBytes);
    saveBytes(result.tasks, result.taskCount * <u32>taskEntryBytes);
    for (let index: u32 = 0; index < result.taskCount; index++) {
      const task = taskAt(result.tasks, index);
      if (task.result != 0) saveBytes(task.result, task.resultBytes);
    }
  }
}

/** Puts back what was saved. Traps where there is no heap, which stops the upgrade. */
export function restoreKept(): void {
  count = restoreU32();
  if (count > 0 && !makeKeptTable()) unreachable();
  for (let at: u32 = 0; at < count; at++) {
    const result = entryAt(at);
    restoreBytes(changetype<usize>(result), <u32>entryBytes);
    result.tasks = restoreBlock(result.taskCount * <u32>taskEntryBytes);
    for (let index: u32 = 0; index < result.taskCount; index++) {
      const task = taskAt(result.tasks, index);
      if (task.result != 0) task.result = restoreBlock(task.resultBytes);
    }
    newest = max(newest, result.age);
    bytesKept += result.bytes;
    tasksKept += result.tasksHere;
  }
}
