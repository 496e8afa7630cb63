/** Methods by which results are given out and taken back, at the stage that keeps them. */
import { CanisterError, maxMessageBytes } from '../generated/constants';
import { fail, number, text } from '../tensor/errors';
import { closeArgument, isTruncated, openArgument, readU32, readU64, remaining } from './argument';
import { keepsResults } from './config';
import { headIsReady } from './head';
import { msg_reply_data_append } from './ic0';
import { fromCoordinator, reject, rejectFailure, replyEmpty } from './message';
import { schedule } from './pace';
import { findRequest, Request, RequestState } from './request';
import { cancel, isElsewhere } from './requests';
import { appendDone, appendPending, appendPendingOf, appendResult } from './results';
import { findStaying, forgetStaying, isComplete, StayingResult } from './staying';

const fields = memory.data(8, 8);

/** Rejects a message about a request that is not here. */
function unknown(id: u64): void {
  fail(CanisterError.unknownRequest);
  text('there is no request ');
  number(id);
  text(': it was released, pushed out by later results, or never there');
  rejectFailure();
}

/** The request at the head that a message names, 0 where there is none. */
function named(id: u64): usize {
  const address = findRequest(id);
  if (address == 0) return 0;
  const request = changetype<Request>(address);
  return request.isForgotten != 0 || isElsewhere(request) ? 0 : address;
}

function appendLength(finished: bool, bytes: u64): void {
  store<u32>(fields, finished ? 1 : 0);
  store<u32>(fields, <u32>bytes, 4);
  msg_reply_data_append(fields, 8);
}

export function fetch(): void {
  if (!fromCoordinator() || (!keepsResults() && !headIsReady())) return;
  if (!openArgument()) return reject(CanisterError.outOfMemory, 'no heap for the argument');
  const id = readU64();
  const offset = readU32();
  const length = min(readU32(), maxMessageBytes);
  const bad = isTruncated() || remaining() > 0;
  closeArgument();
  if (bad) return reject(CanisterError.badMessage, 'fetch takes id u64, offset u32, length u32');
  if (keepsResults()) fetchStaying(id, offset, length);
  else fetchFromHead(id, offset, length);
}

function fetchFromHead(id: u64, offset: u32, length: u32): void {
  const address = named(id);
  if (address == 0) return unknown(id);
  const request = changetype<Request>(address);
  if (request.state == RequestState.active) {
    appendLength(false, 0);
    appendPending(request);
  } else {
    appendLength(true, request.resultBytes);
    appendResult(request, offset, length);
  }
  replyEmpty();
}

/** Of a request that the last stage knows nothing of, it says 0 of 0 tasks. */
function fetchStaying(id: u64, offset: u32, length: u32): void {
  const address = findStaying(id);
  const result = changetype<StayingResult>(address);
  if (address == 0) {
    appendLength(false, 0);
    appendPendingOf(id, 0, 0);
  } else if (!isComplete(result)) {
    appendLength(false, 0);
    appendPendingOf(id, result.tasksHere, result.taskCount);
  } else {
    appendLength(true, result.bytes);
    appendDone(id, result.tasks, result.taskCount, offset, length);
  }
  replyEmpty();
}

/** Forgets the requests named, and answers with the ids of those that are not here. */
export function releaseRequests(): void {
  if (!fromCoordinator() || (!keepsResults() && !headIsReady())) return;
  if (!openArgument()) return reject(CanisterError.outOfMemory, 'no heap for the argument');
  const bad = remaining() == 0 || remaining() % 8 != 0;
  while (!bad && remaining() > 0) {
    const id = readU64();
    if (forgetHere(id)) continue;
    store<u64>(fields, id);
    msg_reply_data_append(fields, 8);
  }
  closeArgument();
  if (bad) return reject(CanisterError.badMessage, 'release takes request ids, u64 each');
  if (!keepsResults()) schedule();
  replyEmpty();
}

/** False where the request is not here. */
function forgetHere(id: u64): bool {
  if (keepsResults()) return forgetStaying(id);
  const address = named(id);
  if (address == 0) return false;
  cancel(changetype<Request>(address));
  return true;
}
