/**
 * Calls of `enqueue` that wait for their result. A call is answered only by its own messages, so each
 * has one call of `wake` open; its reply looks whether the result is there.
 */
import { CanisterError, maxMessageBytes } from '../../generated/constants';
import { callSelf, wakeName } from '../ic/calls';
import { call_perform, time } from '../ic/ic0';
import { CallKind, numberMask } from '../ic/ids';
import { reject, replyEmpty } from '../ic/answer';
import { findByNumber, Run } from './run';
import { hasCall, isLive, openCalls } from './moves';
import { maxOpenCalls, resultsStay } from '../setup/config';
import { maxLooks } from '../pacing/limits';
import { endCall, forget, isElsewhere, settle } from './runs';
import { appendMoved, appendPending, appendResult } from './results';

/**
 * Has this call's run looked at again in an iteration or two. Where many wait, or this one has
 * waited long, the call is answered with `pending` instead: the caller fetches the result later. So it
 * is where the result will stay at the last stage: the call could not give it.
 */
export function wait(run: Run): void {
  if (resultsStay || openCalls > maxOpenCalls || run.looks == maxLooks) {
    leaveWaiting(run);
    return;
  }
  // A look that writes nothing costs half.
  if (run.lookedAt != time()) {
    run.lookedAt = time();
    run.looks++;
  }
  callSelf(wakeName, CallKind.wake, (<u32>run.id) & numberMask);
  if (call_perform() != 0) leaveWaiting(run);
}

/** The call ends before the run does: the caller gets the id, and fetches the result. */
function leaveWaiting(run: Run): void {
  appendPending(run);
  replyEmpty();
  endCall(run);
}

/** Runs in the waiting call's own context. */
export function awake(number: u32): void {
  const address = findByNumber(number);
  if (address == 0) {
    reject(CanisterError.unknownRequest, 'the head has lost the request; send it again');
    return;
  }
  const run = changetype<Run>(address);
  if (!hasCall(run)) {
    // It was given up, because it had not looked for long.
    appendPending(run);
    replyEmpty();
    return;
  }
  if (isLive(run)) {
    wait(run);
    return;
  }
  if (isElsewhere(run) || run.resultBytes > maxMessageBytes) {
    appendMoved(run);
    settle(run);
  } else {
    appendResult(run, 0, run.resultBytes);
    forget(run);
  }
  replyEmpty();
}
