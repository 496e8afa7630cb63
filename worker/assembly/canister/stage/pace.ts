/**
 * A message works on one task after the other until its budget is used or there is none; when there
 * is more to do the canister calls itself once. So each stage has one message of work in every
 * iteration of a round, and where much waits each message fills its slice.
 */
import { CanisterError, WorkerState } from '../../generated/constants';
import { fail, text } from '../../tensor/errors';
import { callSelf, stepName } from '../ic/calls';
import { isHead } from '../setup/config';
import { call_perform, canister_status, msg_reject_code, performance_counter } from '../ic/ic0';
import { CallKind } from '../ic/ids';
import { loadMore, loadTrapped, state } from '../setup/loading';
import { appendRejection, sendCollected } from './outbox';
import { tasksPerLaunch } from '../head/runs';
import { isQuiet, isQuietStep } from '../pacing/round';
import { runTimerWithin } from '../ic/timer';
import { chooseTask, current, failWork, Work, work, workBudget } from './work';

/** Reject code of a canister that trapped, or that is stopping or stopped. */
const canisterErrorCode: i32 = 5;
const running: i32 = 1;

/** Whether a `step` was sent that has not begun. */
export let stepOutstanding: bool = false;

export function restoreStep(outstanding: bool): void {
  stepOutstanding = outstanding;
}

/**
 * A step has worked, so another follows even where nothing waits: tasks that arrive in the same
 * iteration would else be worked on at once, two messages of work in an iteration.
 */
let isWarm: bool = false;
/** After a trap tasks are worked on one by one, which tells which of them is to blame. */
let isCareful: bool = false;

/** Chooses what is next and calls `step` for it, unless a step is on its way. */
export function schedule(): void {
  if (state == WorkerState.ready) chooseTask();
  if (stepOutstanding) return;
  if (current == 0 && !isWarm && state != WorkerState.loading) return;
  callSelf(stepName, CallKind.step, 0);
  stepOutstanding = call_perform() == 0;
  if (!stepOutstanding) runTimerWithin(1);
}

/** A `step` has arrived: does one message of work. */
export function step(): void {
  stepOutstanding = false;
  if (state == WorkerState.ready && isQuietStep()) {
    schedule();
    return;
  }
  isWarm = state == WorkerState.ready && current != 0;
  if (state == WorkerState.loading) loadMore();
  else if (isWarm) workOn();
  schedule();
}

/** Works on the current task and those after it, within this message. */
function workOn(): void {
  let launched: u32 = changetype<Work>(current).isBegun != 0 ? 0 : 1;
  for (let isFirst = true; ; isFirst = false) {
    work(isFirst);
    if (current != 0 || isCareful || !hasRoom()) break;
    if (isHead() && launched >= tasksPerLaunch()) break;
    chooseTask();
    if (current == 0) break;
    launched++;
  }
  isCareful = false;
  sendCollected();
}

/** Whether it is worth while to begin a further task in this message. */
function hasRoom(): bool {
  const budget = workBudget();
  return performance_counter(0) < budget - budget / 64;
}

/** Works on the current task within this message, where no step will come for it. */
export function workNow(): void {
  if (state == WorkerState.ready && !stepOutstanding && !isQuiet()) {
    chooseTask();
    if (current != 0) workOn();
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
  else if (!isCareful) isCareful = true;
  else if (current != 0) {
    fail(CanisterError.internal);
    text('the worker trapped: ');
    appendRejection();
    failWork();
  }
  schedule();
}
