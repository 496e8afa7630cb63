/** Methods by which the stage before hands a task on, and by which the worker calls itself. */
import { CallerOf, CanisterError, WorkerState } from '../../generated/constants';
import { release } from '../../tensor/memory';
import { isAtFloor, isLow, rejectForCycles } from '../ic/cycles';
import { setMessageBudget } from '../pacing/budget';
import { isHead, maxStages } from '../setup/config';
import { msg_arg_data_copy, msg_arg_data_size, time } from '../ic/ic0';
import { watchSeconds } from '../pacing/limits';
import { state } from '../setup/loading';
import { reject, replyEmpty } from '../ic/answer';
import { allows, isConfigured, isOfEpoch } from '../setup/access';
import { tellNews } from '../stage/news';
import { hasDeliveries, reportFailure, sendCancelled } from '../stage/outbox';
import { isStepOutstanding, step, workNow } from '../stage/pace';
import { tasksCame } from '../pacing/round';
import {
  budgetTold,
  cancelledAt,
  cancelledTold,
  epochSent,
  nextTask,
  openTasks,
  sentAt,
  takeEntry,
  taskId,
} from '../stage/lists';
import { noteCancelled } from '../head/cancelled';
import { runTimerWithin } from '../ic/timer';
import { addMessage, dropFromInbox, inboxCount } from '../stage/inbox';
import { cancelCurrent, current, failHeap } from '../stage/work';

export function run(): void {
  if (!allows(CallerOf.run) || !isConfigured()) return;
  if (state != WorkerState.ready) {
    return reject(CanisterError.notReady, 'the worker has not loaded its shard yet');
  }
  if (isHead()) {
    return reject(CanisterError.badMessage, 'run: tasks reach the first stage by enqueue');
  }
  if (!openTasks(maxStages - 1)) {
    return reject(CanisterError.badMessage, 'run: the argument is no list of tasks');
  }
  if (!isOfEpoch(epochSent)) return;
  for (let index: u32 = 0; index < cancelledTold; index++) dropTask(cancelledAt(index));
  let bytes = nextTask();
  if (bytes != 0 && isAtFloor()) return rejectForCycles();
  for (; bytes != 0; bytes = nextTask()) {
    const id = taskId;
    const message = takeEntry(bytes);
    if (message != 0 && addMessage(message, bytes)) continue;
    release(message);
    failHeap();
    reportFailure(id);
  }
  if (isLow()) tellLow();
  setMessageBudget(budgetTold);
  tasksCame(time(), sentAt, isStepOutstanding());
  workNow();
  sendCancelled();
  if (current != 0 || inboxCount > 0 || hasDeliveries()) runTimerWithin(watchSeconds);
  replyEmpty();
}

/** When the head was last told that cycles are low, nanoseconds. */
let toldLowAt: u64 = 0;

/** Tells the head at once, and then as often as it is told of tasks. */
function tellLow(): void {
  const now = time();
  if (now < toldLowAt + watchSeconds * 1_000_000_000) return;
  toldLowAt = now;
  tellNews();
}

/** Nobody waits for a task: what is not begun is dropped, and later stages are told. */
function dropTask(taskId: u64): void {
  dropFromInbox(taskId);
  cancelCurrent(taskId);
  noteCancelled(taskId);
}

const stepNumber = memory.data(4, 4);

export function stepOn(): void {
  if (!allows(CallerOf.step)) return;
  store<u32>(stepNumber, 0);
  msg_arg_data_copy(stepNumber, 0, min(msg_arg_data_size(), 4));
  step(load<u32>(stepNumber));
  replyEmpty();
}

/** Does nothing: its reply is what a waiting call needs. */
export function wake(): void {
  if (allows(CallerOf.wake)) replyEmpty();
}
