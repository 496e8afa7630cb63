/**
 * Calls of `enqueue` that wait for their result. A call is answered only by its own messages, so each
 * has one call of `wake` open; its reply looks whether the result is there.
 */
import { CanisterError, maxMessageBytes } from '../generated/constants';
import { callSelf, wakeName } from './calls';
import { call_perform } from './ic0';
import { CallKind, numberMask } from './ids';
import { reject, replyEmpty } from './message';
import { findByNumber, Request, RequestState } from './request';
import { maxOpenCalls, resultsStay } from './config';
import { maxLooks } from './limits';
import { closeCall, forget, isElsewhere, openCalls, settle } from './requests';
import { appendMoved, appendPending, appendResult } from './results';

/**
 * Has this call's request looked at again in an iteration or two. Where many wait, or this one has
 * waited long, the call is answered with `pending` instead: the caller fetches the result later. So it
 * is where the result will stay at the last stage: the call could not give it.
 */
export function wait(request: Request): void {
  if (resultsStay || openCalls > maxOpenCalls || request.looks == maxLooks) {
    leaveWaiting(request);
    return;
  }
  request.looks++;
  callSelf(wakeName, CallKind.wake, (<u32>request.id) & numberMask);
  if (call_perform() != 0) leaveWaiting(request);
}

/** The call ends before the request does: the caller gets the id, and fetches the result. */
function leaveWaiting(request: Request): void {
  closeCall(request);
  appendPending(request);
  replyEmpty();
  if (request.state != RequestState.active) settle(request);
}

/** Runs in the waiting call's own context. */
export function awake(number: u32): void {
  const address = findByNumber(number);
  if (address == 0) {
    reject(CanisterError.unknownRequest, 'the head has lost the request; send it again');
    return;
  }
  const request = changetype<Request>(address);
  if (request.state == RequestState.active) {
    wait(request);
    return;
  }
  closeCall(request);
  if (isElsewhere(request) || request.resultBytes > maxMessageBytes) {
    appendMoved(request);
    settle(request);
  } else {
    appendResult(request, 0, request.resultBytes);
    forget(request);
  }
  replyEmpty();
}
