/**
 * A message works on one task after the other until its budget is used or there is none; when there
 * is more to do the canister calls itself once. So each stage has one message of work in every
 * iteration of a round, and where much waits each message fills its slice.
 */
import { CanisterError, WorkerState } from '../../generated/constants';
import { fail, text } from '../../tensor/errors';
import { callSelf, stepName } from '../ic/calls';
import { isHead } from '../setup/config';
import {
  call_data_append,
  call_perform,
  canister_status,
  msg_reject_code,
  performance_counter,
  time,
} from '../ic/ic0';
import { CallKind, numberMask } from '../ic/ids';
import { loadMore, loadTrapped, state } from '../setup/loading';
import { appendRejection, costOfCollected, sendCollected } from './outbox';
import { isEnough } from '../head/launch';
import { isQuiet, isQuietStep } from '../pacing/round';
import { hasRoom } from '../pacing/tasks';
import { runTimerWithin } from '../ic/timer';
import { secondsOfStep } from '../pacing/limits';
import { finishWork } from './finish';
import { Work } from './inbox';
import { chooseTask, current, failWork, isDone, work } from './work';

/** Reject code of a canister that trapped, or that is stopping or stopped. */
const canisterErrorCode: i32 = 5;
const running: i32 = 1;

/** Number of the `step` sent last, and of the last one that has begun. */
export let stepNumber: u32 = 0;
let stepBegun: u32 = 0;
/** When the last one was sent, nanoseconds; 0 once it has begun. */
export let stepSentAt: u64 = 0;
const stepArgument = memory.data(4, 4);

export function restoreStep(number: u32, sentAt: u64): void {
  stepNumber = number;
  stepBegun = sentAt == 0 ? number : number - 1;
  stepSentAt = sentAt;
}

/**
 * Whether a `step` was sent that has not begun. One that is long overdue will not come: the state may be
 * that of a snapshot, taken after it was sent.
 */
export function isStepOutstanding(): bool {
  return stepSentAt != 0 && time() < stepSentAt + secondsOfStep * 1_000_000_000;
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
  if (isStepOutstanding()) return;
  if (current == 0 && !isWarm && state != WorkerState.loading) return;
  stepNumber++;
  store<u32>(stepArgument, stepNumber);
  callSelf(stepName, CallKind.step, stepNumber);
  call_data_append(stepArgument, 4);
  const isSent = call_perform() == 0;
  stepSentAt = isSent ? time() : 0;
  if (!isSent) runTimerWithin(1);
}

/** The `step` with this number has arrived: does one message of work. */
export function step(number: u32): void {
  if (number <= stepBegun || number > stepNumber) return;
  // Where another was sent because this one was late, that one comes next.
  stepBegun = number;
  if (number == stepNumber) stepSentAt = 0;
  if (state == WorkerState.ready && isQuietStep(time())) {
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
    if (isDone) finishWork();
    if (current != 0 || isCareful || !hasRoom(performance_counter(0), costOfCollected())) break;
    if (isHead() && isEnough(launched)) break;
    chooseTask();
    if (current == 0) break;
    launched++;
  }
  isCareful = false;
  sendCollected();
}

/** Works on the current task within this message, where no step will come for it. */
export function workNow(): void {
  if (state == WorkerState.ready && !isStepOutstanding() && !isQuiet(time())) {
    chooseTask();
    if (current != 0) workOn();
  }
  schedule();
}

/** The `step` with this number was rejected. When it trapped its task fails; otherwise it is called again later. */
export function stepRejected(number: u32): void {
  if (number == (stepNumber & numberMask)) stepSentAt = 0;
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
