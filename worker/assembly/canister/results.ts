/** `Result` of the protocol: encoding, and those that are kept until they are fetched. */
import { ResultStatus, stageTraceBytes } from '../generated/constants';
import { msg_reply_data_append } from './ic0';
import { maxKeptBytes, maxKeptResults } from './limits';
import { Request, requestAt, RequestState, slotOf, TaskEntry, taskOf } from './request';
import { forget } from './requests';

/** Status and request id. */
const resultHeaderBytes: u32 = 12;
/** Request id and task index of a `Task`, before its traces. */
const taskHeaderBytes: u32 = 12;
const field = memory.data(32, 8);

let keptFirst: u32 = 0;
let keptLast: u32 = 0;
export let keptCount: u32 = 0;
export let keptBytes: u64 = 0;

/** Slot + 1 of the oldest result kept, 0: none. */
export function keptFirstSlot(): u32 {
  return keptFirst;
}

/** Sets the length of the encoded result of a finished request. */
export function measureResult(request: Request): void {
  let bytes: u64 = resultHeaderBytes;
  if (request.state == RequestState.failed) bytes += 8 + request.failureBytes;
  else {
    bytes += 4;
    for (let index: u32 = 0; index < request.taskCount; index++) {
      bytes += taskOf(request, index).resultBytes - taskHeaderBytes + 4;
    }
  }
  request.resultBytes = bytes;
}

/** The part of the reply that remains to be written. */
let skip: u64 = 0;
let left: u64 = 0;

function piece(bytes: usize, length: u32): void {
  if (skip >= length) {
    skip -= length;
    return;
  }
  const from = <u32>skip;
  const count = <u32>min<u64>(length - from, left);
  skip = 0;
  left -= count;
  if (count > 0) msg_reply_data_append(bytes + from, count);
}

/** Appends `[offset, offset + length)` of the encoded result of a finished request to the reply. */
export function appendResult(request: Request, offset: u64, length: u64): void {
  skip = offset;
  left = length;
  const failed = request.state == RequestState.failed;
  store<u32>(field, failed ? ResultStatus.failed : ResultStatus.done);
  store<u64>(field, request.id, 4);
  store<u32>(field, failed ? request.failedStage : request.taskCount, 12);
  store<u32>(field, request.failureBytes, 16);
  piece(field, failed ? 20 : 16);
  if (failed) {
    piece(request.failure, request.failureBytes);
    return;
  }
  for (let index: u32 = 0; index < request.taskCount; index++) {
    const task = taskOf(request, index);
    const traces = task.result + taskHeaderBytes;
    const traceBytes = 4 + load<u32>(traces) * stageTraceBytes;
    piece(traces, traceBytes);
    piece(changetype<usize>(task) + offsetof<TaskEntry>('bundleBytes'), 4);
    piece(traces + traceBytes, task.bundleBytes);
  }
}

/** Appends a `moved` result. */
export function appendMoved(request: Request): void {
  store<u32>(field, ResultStatus.moved);
  store<u64>(field, request.id, 4);
  store<u32>(field, <u32>request.resultBytes, 12);
  msg_reply_data_append(field, 16);
}

/** Appends a `pending` result. */
export function appendPending(request: Request): void {
  store<u32>(field, ResultStatus.pending);
  store<u64>(field, request.id, 4);
  store<u32>(field, request.tasksDone, 12);
  store<u32>(field, request.taskCount, 16);
  msg_reply_data_append(field, 20);
}

/** Keeps a finished result for `fetch`, as the newest. */
export function keepResult(request: Request): void {
  const slot = slotOf(request);
  request.isKept = 1;
  request.keptNext = 0;
  if (keptLast == 0) keptFirst = slot + 1;
  else requestAt(keptLast - 1).keptNext = slot + 1;
  keptLast = slot + 1;
  keptCount++;
  keptBytes += request.resultBytes;
  while (keptCount > 1 && (keptCount > maxKeptResults || keptBytes > maxKeptBytes)) {
    dropOldestResult();
  }
}

/** Forgets the oldest result kept; false when none is. */
export function dropOldestResult(): bool {
  if (keptFirst == 0) return false;
  forget(requestAt(keptFirst - 1));
  return true;
}

/** Takes a request out of the results kept; nothing where it is none. */
export function forgetKept(request: Request): void {
  if (request.isKept == 0) return;
  const slot = slotOf(request);
  let before: u32 = 0;
  for (let at = keptFirst; at != slot + 1; at = requestAt(at - 1).keptNext) before = at;
  if (before == 0) keptFirst = request.keptNext;
  else requestAt(before - 1).keptNext = request.keptNext;
  if (request.keptNext == 0) keptLast = before;
  request.isKept = 0;
  keptCount--;
  keptBytes -= request.resultBytes;
}
