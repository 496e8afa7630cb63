/**
 * Arguments of `enqueue`, `run` and `done`: a header, then entries, each behind its length. Each entry is
 * copied to a block of its own, because they are done with at different times.
 */
import {
  enqueueHeaderBytes,
  entryLengthBytes,
  listHeaderBytes,
  maxBatchesOfRun,
  maxPartsOfTask,
  maxRunsOfCall,
  partResultHeaderBytes,
  principalFieldBytes,
  runHeaderBytes,
  stageTraceBytes,
  taskHeaderBytes,
  traceCountAt,
} from '../../generated/constants';
import { alloc } from '../../tensor/memory';
import { mostCancelled } from '../head/cancelled';
import { partBytes } from '../head/tasks';
import { msg_arg_data_copy, msg_arg_data_size } from '../ic/ic0';
import { resultsStay } from '../setup/config';

/** Length and header of the entry at hand. */
const head = memory.data(40, 8);
const part = memory.data(64, 8);
let at: u32 = 0;
/** Bytes of the argument. */
let size: u32 = 0;
let entriesAt: u32 = 0;
/** Of the sender's configuration. */
export let epochSent: u64 = 0;
/** The sender's time, nanoseconds. */
export let sentAt: u64 = 0;
/** Instructions after which a message's work ends, as the head has it. */
export let budgetTold: u64 = 0;
/** Tasks that nobody waits for any more. */
export let cancelledTold: u32 = 0;

/** Reads the header; false where there is none. */
function openList(): bool {
  size = <u32>msg_arg_data_size();
  if (size < listHeaderBytes) return false;
  msg_arg_data_copy(head, 0, listHeaderBytes);
  epochSent = load<u64>(head);
  sentAt = load<u64>(head, 8);
  budgetTold = load<u64>(head, 16);
  cancelledTold = load<u32>(head, 24);
  if (cancelledTold > mostCancelled) return false;
  entriesAt = listHeaderBytes + (cancelledTold << 3);
  at = entriesAt;
  return entriesAt <= size;
}

/** Id of a task that the list names as cancelled. */
export function cancelledAt(index: u32): u64 {
  msg_arg_data_copy(part, listHeaderBytes + (index << 3), 8);
  return load<u64>(part);
}

/** Reads the next entry's header of so many bytes. Bytes of the entry; 0 where there is none, or it is cut short. */
function nextEntry(headerBytes: u32): u32 {
  const left = size - at;
  if (left < entryLengthBytes + headerBytes) return 0;
  msg_arg_data_copy(head, at, entryLengthBytes + headerBytes);
  const bytes = load<u32>(head);
  if (bytes < headerBytes || bytes > left - entryLengthBytes) return 0;
  at += entryLengthBytes;
  return bytes;
}

/** Copies the entry whose header was read last to a block of its own; 0 where there is no heap. */
export function takeEntry(bytes: u32): usize {
  const block = alloc(bytes);
  if (block != 0) msg_arg_data_copy(block, at, bytes);
  at += bytes;
  return block;
}

/** Header of the task at hand. */
export let taskId: u64 = 0;
let partCount: u32 = 0;
export let traceCount: u32 = 0;
let rows: u32 = 0;

/** Goes to the first task of `run`; false where the argument is no list of tasks. */
export function openTasks(maxTraces: u32): bool {
  if (!openList()) return false;
  for (let bytes = nextTask(); bytes != 0; bytes = nextTask()) {
    if (traceCount > maxTraces || !hasGoodParts(bytes)) return false;
    at += bytes;
  }
  const whole = at == size;
  at = entriesAt;
  return whole;
}

/** Reads the next task's header. Bytes of the task; 0 where there is none. */
export function nextTask(): u32 {
  const bytes = nextEntry(taskHeaderBytes);
  if (bytes == 0) return 0;
  taskId = load<u64>(head, 4);
  partCount = load<u32>(head, 16);
  traceCount = load<u32>(head, 20);
  rows = load<u32>(head, 24);
  return bytes;
}

/** Whether the parts and traces of the task at hand fit it, and the parts' rows make up its rows. */
function hasGoodParts(bytes: u32): bool {
  if (partCount == 0 || partCount > maxPartsOfTask) return false;
  const tables = <u64>partCount * partBytes() + <u64>traceCount * stageTraceBytes;
  if (tables > bytes - taskHeaderBytes) return false;
  let sum: u64 = 0;
  for (let i: u32 = 0; i < partCount; i++) {
    msg_arg_data_copy(part, at + taskHeaderBytes + i * partBytes(), partBytes());
    const count = load<u32>(part, 12);
    if (load<u32>(part, 8) >= count || count > maxBatchesOfRun) return false;
    if (partCount > 1 && load<u32>(part, 16) == 0) return false;
    sum += load<u32>(part, 16);
    if (resultsStay && load<u8>(part + partBytes() - principalFieldBytes) >= principalFieldBytes) {
      return false;
    }
  }
  return sum == rows;
}

/** Header of the part's result at hand. */
export let resultTaskId: u64 = 0;
export let resultRunId: u64 = 0;
export let resultIndex: u32 = 0;
export let resultTraces: u32 = 0;

/** Goes to the first result of `done`; false where the argument is no list of results. */
export function openResults(maxTraces: u32): bool {
  if (!openList() || cancelledTold > 0) return false;
  let count: u32 = 0;
  for (let bytes = nextResult(); bytes != 0; bytes = nextResult()) {
    const traceBytes = <u64>resultTraces * stageTraceBytes;
    if (resultTraces > maxTraces || traceBytes > bytes - partResultHeaderBytes) return false;
    at += bytes;
    count++;
  }
  const whole = at == size;
  at = entriesAt;
  return count > 0 && whole;
}

/** Reads the next result's header. Bytes of the result; 0 where there is none. */
export function nextResult(): u32 {
  const bytes = nextEntry(partResultHeaderBytes);
  if (bytes == 0) return 0;
  resultTaskId = load<u64>(head, 4);
  resultRunId = load<u64>(head, 12);
  resultIndex = load<u32>(head, 20);
  resultTraces = load<u32>(head + entryLengthBytes + traceCountAt);
  return bytes;
}

/** Header of `enqueue`. */
export let loadTold: u32 = 0;
export let runCount: u32 = 0;

/** Goes to the first run of `enqueue`; false where the argument is no list of runs. */
export function openRuns(): bool {
  size = <u32>msg_arg_data_size();
  if (size < enqueueHeaderBytes) return false;
  msg_arg_data_copy(head, 0, enqueueHeaderBytes);
  epochSent = load<u64>(head);
  loadTold = load<u16>(head, 8);
  runCount = load<u32>(head, 12);
  if (runCount == 0 || runCount > maxRunsOfCall) return false;
  at = enqueueHeaderBytes;
  let found: u32 = 0;
  for (let bytes = nextRun(); bytes != 0; bytes = nextRun()) {
    at += bytes;
    found++;
  }
  const whole = found == runCount && at == size;
  at = enqueueHeaderBytes;
  return whole;
}

/** Bytes of the next run; 0 where there is none. */
export function nextRun(): u32 {
  const left = size - at;
  if (left < entryLengthBytes + runHeaderBytes) return 0;
  msg_arg_data_copy(head, at, entryLengthBytes);
  const bytes = load<u32>(head);
  if (bytes < runHeaderBytes || bytes > left - entryLengthBytes) return 0;
  at += entryLengthBytes;
  return bytes;
}
