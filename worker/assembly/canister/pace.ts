/**
 * One task a message: a message works on the current task, and when there is more to do the canister
 * calls itself once. So each stage has one message of work in every iteration of a round.
 */
import { CanisterError, WorkerState } from '../generated/constants';
import { fail, text } from '../tensor/errors';
import { callSelf, stepName } from './calls';
import { call_perform, canister_status, msg_reject_code } from './ic0';
import { CallKind } from './ids';
import { loadMore, loadTrapped, state } from './loading';
import { appendRejection } from './outbox';
import { runTimerWithin } from './timer';
import { chooseTask, current, failWork, work } from './work';

/** Reject code of a canister that trapped, or that is stopping or stopped. */
const canisterErrorCode: i32 = 5;
const running: i32 = 1;

/** Whether a `step` was sent that has not begun. */
export let stepOutstanding: bool = false;

export function restoreStep(outstanding: bool): void {
  stepOutstanding = outstanding;
}

/** Chooses what is next and calls `step` for it, unless a step is on its way. */
export function schedule(): void {
  if (state == WorkerState.ready) chooseTask();
  if (stepOutstanding || (current == 0 && state != WorkerState.loading)) return;
  callSelf(stepName, CallKind.step, 0);
  stepOutstanding = call_perform() == 0;
  if (!stepOutstanding) runTimerWithin(1);
}

/** A `step` has arrived: does one message of work. */
export function step(): void {
  stepOutstanding = false;
  if (state == WorkerState.loading) loadMore();
  else if (state == WorkerState.ready && current != 0) work();
  schedule();
}

/** Works on the current task within this message, where no step will come for it. */
export function workNow(): void {
  if (state == WorkerState.ready && !stepOutstanding) {
    chooseTask();
    if (current != 0) work();
  }
  schedule();
}

/** A `step` was rejected. When it trapped its task fails; otherwise it is called again later. */
export function stepRejected(): void {
  stepOutstanding = false;
  const trapped = msg_reject_code() == canisterErrorCode && canister_status() == running;
  if (!trapped) {
    runTimerWithin(1);
    return;
  }
  if (state == WorkerState.loading) loadTrapped();
  else if (current != 0) {
    fail(CanisterError.internal);
    text('the worker trapped: ');
    appendRejection();
    failWork();
  }
  schedule();
}
