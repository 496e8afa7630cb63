/** `Result` of the protocol: encoding. */
import { ResultStatus, stageTraceBytes } from '../generated/constants';
import { msg_reply_data_append } from './ic0';
import { Request, RequestState, taskAt, TaskEntry, taskOf } from './request';
import { traceCountAt } from './task-list';

/** Status and request id. */
const resultHeaderBytes: u32 = 12;
/** Of a result that is done, also the number of tasks. */
export const doneHeaderBytes: u32 = 16;
const field = memory.data(32, 8);

/** Bytes that a `Task` of so many bytes takes in a result: its traces, and its bundle behind a length. */
export function encodedTaskBytes(bytes: u32): u32 {
  return bytes - traceCountAt + 4;
}

/** Sets the length of the encoded result of a finished request. */
export function measureResult(request: Request): void {
  if (request.state == RequestState.failed) {
    request.resultBytes = resultHeaderBytes + 8 + request.failureBytes;
    return;
  }
  let bytes: u64 = doneHeaderBytes;
  for (let index: u32 = 0; index < request.taskCount; index++) {
    bytes += encodedTaskBytes(taskOf(request, index).resultBytes);
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
  if (request.state != RequestState.failed) {
    appendDone(request.id, request.tasks, request.taskCount, offset, length);
    return;
  }
  skip = offset;
  left = length;
  store<u32>(field, ResultStatus.failed);
  store<u64>(field, request.id, 4);
  store<u32>(field, request.failedStage, 12);
  store<u32>(field, request.failureBytes, 16);
  piece(field, resultHeaderBytes + 8);
  piece(request.failure, request.failureBytes);
}

/** Appends `[offset, offset + length)` of the encoded result of tasks that are all done. */
export function appendDone(
  id: u64,
  tasks: usize,
  taskCount: u32,
  offset: u64,
  length: u64,
): void {
  skip = offset;
  left = length;
  store<u32>(field, ResultStatus.done);
  store<u64>(field, id, 4);
  store<u32>(field, taskCount, 12);
  piece(field, doneHeaderBytes);
  for (let index: u32 = 0; index < taskCount; index++) {
    const task = taskAt(tasks, index);
    const traces = task.result + traceCountAt;
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
  appendPendingOf(request.id, request.tasksDone, request.taskCount);
}
/** Appends a `pending` result of the request with this id. */
export function appendPendingOf(id: u64, tasksDone: u32, taskCount: u32): void {
  store<u32>(field, ResultStatus.pending);
  store<u64>(field, id, 4);
  store<u32>(field, tasksDone, 12);
  store<u32>(field, taskCount, 16);
  msg_reply_data_append(field, 20);
}
