/** Methods by which results are given out and taken back, at the stage that keeps them. */
import { CallerOf, CanisterError, maxMessageBytes } from '../../generated/constants';
import { fail, number, text } from '../../tensor/errors';
import { closeArgument, isTruncated, openArgument, readU32, readU64, remaining } from '../ic/argument';
import { keepsResults } from '../setup/config';
import { msg_reply_data_append } from '../ic/ic0';
import { reject, rejectFailure, replyEmpty } from '../ic/answer';
import { allows, headIsReady, isOfEpoch } from '../setup/access';
import { sendCancelled } from '../stage/outbox';
import { schedule } from '../stage/pace';
import { keptFirstSlot } from '../head/kept';
import { findRun, Run, runAt } from '../head/run';
import { isLive, RunState } from '../head/moves';
import { cancel, isElsewhere } from '../head/runs';
import { appendDone, appendPending, appendPendingOf, appendResult } from '../head/results';
import { appendEnded, appendEndedKept, appendUnknown, appendUntold } from '../head/ended';
import {
  findKept,
  forgetKept,
  isComplete,
  keptCount,
  KeptResult,
  keptRunId,
} from '../stage/kept';

const fields = memory.data(8, 8);

/** Rejects a message about a run that is not here. */
function unknown(id: u64): void {
  fail(CanisterError.unknownRequest);
  text('there is no request ');
  number(id);
  text(': it was released, pushed out by later results, or never there');
  rejectFailure();
}

/** The run at the head that a message names, 0 where there is none. */
function named(id: u64): usize {
  const address = findRun(id);
  if (address == 0) return 0;
  const run = changetype<Run>(address);
  return run.state == RunState.ending || isElsewhere(run) ? 0 : address;
}

function appendLength(finished: bool, bytes: u64): void {
  store<u32>(fields, finished ? 1 : 0);
  store<u32>(fields, <u32>bytes, 4);
  msg_reply_data_append(fields, 8);
}

export function fetch(): void {
  if (!allows(CallerOf.fetch) || (!keepsResults() && !headIsReady())) return;
  if (!openArgument()) return reject(CanisterError.outOfMemory, 'no heap for the argument');
  const sent = readU64();
  const id = readU64();
  const offset = readU32();
  const length = min(readU32(), maxMessageBytes);
  const bad = isTruncated() || remaining() > 0;
  closeArgument();
  if (bad) return reject(CanisterError.badMessage, 'fetch takes epoch u64, id u64, offset u32, length u32');
  if (!isOfEpoch(sent)) return;
  if (keepsResults()) fetchKept(id, offset, length);
  else fetchFromHead(id, offset, length);
}

function fetchFromHead(id: u64, offset: u32, length: u32): void {
  const address = named(id);
  if (address == 0) return unknown(id);
  const run = changetype<Run>(address);
  if (isLive(run)) {
    appendLength(false, 0);
    appendPending(run);
  } else {
    appendLength(true, run.resultBytes);
    appendResult(run, offset, length);
  }
  replyEmpty();
}

/** Of a run that the last stage knows nothing of, it says 0 of 0 micro-batches. */
function fetchKept(id: u64, offset: u32, length: u32): void {
  const address = findKept(id);
  const result = changetype<KeptResult>(address);
  if (address == 0) {
    appendLength(false, 0);
    appendPendingOf(id, 0, 0);
  } else if (!isComplete(result)) {
    appendLength(false, 0);
    appendPendingOf(id, result.batchesHere, result.batchCount);
  } else {
    appendLength(true, result.bytes);
    appendDone(id, result.batches, result.batchCount, offset, length);
  }
  replyEmpty();
}

/** Forgets the runs named, and tells how each ended, and which ended unasked. */
export function releaseRuns(): void {
  if (!allows(CallerOf.release) || (!keepsResults() && !headIsReady())) return;
  if (!openArgument()) return reject(CanisterError.outOfMemory, 'no heap for the argument');
  const sent = readU64();
  const bad = remaining() == 0 || remaining() % 8 != 0;
  if (!bad && !isOfEpoch(sent)) return closeArgument();
  while (!bad && remaining() > 0) {
    const id = readU64();
    if (keepsResults()) releaseKept(id);
    else releaseFromHead(id);
  }
  closeArgument();
  if (bad) return reject(CanisterError.badMessage, 'release takes an epoch and request ids, u64 each');
  appendUntold();
  if (!keepsResults()) {
    schedule();
    sendCancelled();
  }
  replyEmpty();
}

/** Names the runs of which results are kept here, whole or in part. */
export function held(): void {
  if (!allows(CallerOf.held) || (!keepsResults() && !headIsReady())) return;
  if (!openArgument()) return reject(CanisterError.outOfMemory, 'no heap for the argument');
  const sent = readU64();
  const bad = isTruncated() || remaining() > 0;
  closeArgument();
  if (bad) return reject(CanisterError.badMessage, 'held takes an epoch u64');
  if (!isOfEpoch(sent)) return;
  for (let index: u32 = 0; index < keptCount(); index++) appendId(keptRunId(index));
  for (let at = keptFirstSlot(); at != 0; at = runAt(at - 1).keptNext) appendId(runAt(at - 1).id);
  replyEmpty();
}

function appendId(id: u64): void {
  store<u64>(fields, id);
  msg_reply_data_append(fields, 8);
}

function releaseFromHead(id: u64): void {
  const address = named(id);
  if (address == 0) return appendUnknown(id);
  const run = changetype<Run>(address);
  appendEnded(run);
  cancel(run);
}

/** What is not the whole result the head knows more of. */
function releaseKept(id: u64): void {
  const address = findKept(id);
  const result = changetype<KeptResult>(address);
  if (address == 0 || !isComplete(result)) appendUnknown(id);
  else appendEndedKept(id, result.bytes, result.batches, result.batchCount);
  forgetKept(id);
}
