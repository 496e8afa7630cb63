/** `Result` of the protocol: encoding. */
import { ResultStatus, stageTraceBytes, traceCountAt } from '../../generated/constants';
import { msg_reply_data_append } from '../ic/ic0';
import { Batch, batchAt, batchOf, Outcome, Run } from './run';

/** Status and run id. */
const resultHeaderBytes: u32 = 12;
/** Of a result that is done, also the number of micro-batches. */
export const doneHeaderBytes: u32 = 16;
const field = memory.data(32, 8);

/** Bytes that a `PartResult` of so many bytes takes in a result: its traces, and its bundle behind a length. */
export function encodedPartBytes(bytes: u32): u32 {
  return bytes - traceCountAt + 4;
}

/** Sets the length of the encoded result of a finished run. */
export function measureResult(run: Run): void {
  if (run.outcome == Outcome.failed) {
    run.resultBytes = resultHeaderBytes + 8 + run.failureBytes;
    return;
  }
  let bytes: u64 = doneHeaderBytes;
  for (let index: u32 = 0; index < run.batchCount; index++) {
    bytes += encodedPartBytes(batchOf(run, index).resultBytes);
  }
  run.resultBytes = bytes;
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

/** Appends `[offset, offset + length)` of the encoded result of a finished run to the reply. */
export function appendResult(run: Run, offset: u64, length: u64): void {
  if (run.outcome != Outcome.failed) {
    appendDone(run.id, run.batches, run.batchCount, offset, length);
    return;
  }
  skip = offset;
  left = length;
  store<u32>(field, ResultStatus.failed);
  store<u64>(field, run.id, 4);
  store<u32>(field, run.failedStage, 12);
  store<u32>(field, run.failureBytes, 16);
  piece(field, resultHeaderBytes + 8);
  piece(run.failure, run.failureBytes);
}

/** Appends `[offset, offset + length)` of the encoded result of micro-batches that are all done. */
export function appendDone(
  id: u64,
  batches: usize,
  batchCount: u32,
  offset: u64,
  length: u64,
): void {
  skip = offset;
  left = length;
  store<u32>(field, ResultStatus.done);
  store<u64>(field, id, 4);
  store<u32>(field, batchCount, 12);
  piece(field, doneHeaderBytes);
  for (let index: u32 = 0; index < batchCount; index++) {
    const batch = batchAt(batches, index);
    const traces = batch.result + traceCountAt;
    const traceBytes = 4 + load<u32>(traces) * stageTraceBytes;
    piece(traces, traceBytes);
    piece(changetype<usize>(batch) + offsetof<Batch>('bundleBytes'), 4);
    piece(traces + traceBytes, batch.bundleBytes);
  }
}

/** Appends a `moved` result. */
export function appendMoved(run: Run): void {
  store<u32>(field, ResultStatus.moved);
  store<u64>(field, run.id, 4);
  store<u32>(field, <u32>run.resultBytes, 12);
  msg_reply_data_append(field, 16);
}

/** Appends a `pending` result. */
export function appendPending(run: Run): void {
  appendPendingOf(run.id, run.batchesDone, run.batchCount);
}
/** Appends a `pending` result of the run with this id. */
export function appendPendingOf(id: u64, batchesDone: u32, batchCount: u32): void {
  store<u32>(field, ResultStatus.pending);
  store<u64>(field, id, 4);
  store<u32>(field, batchesDone, 12);
  store<u32>(field, batchCount, 16);
  msg_reply_data_append(field, 20);
}
