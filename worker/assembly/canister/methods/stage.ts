/** Methods by which the stage before hands a task on, and by which the worker calls itself. */
import { CanisterError, WorkerState } from '../../generated/constants';
import { release } from '../../tensor/memory';
import { setMessageBudget } from '../pacing/budget';
import { isHead, maxStages } from '../setup/config';
import { time } from '../ic/ic0';
import { watchSeconds } from '../pacing/limits';
import { state } from '../setup/loading';
import { reject, replyEmpty } from '../ic/answer';
import { fromSelf, fromWorker, isConfigured, isOfEpoch } from '../setup/access';
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
import { closeArgument, openArgument, readU32 } from '../ic/argument';
import { runTimerWithin } from '../ic/timer';
import { addMessage, dropFromInbox, inboxCount } from '../stage/inbox';
import { cancelCurrent, current, failHeap } from '../stage/work';

export function run(): void {
  if (!fromWorker() || !isConfigured()) return;
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
  for (let bytes = nextTask(); bytes != 0; bytes = nextTask()) {
    const id = taskId;
    const message = takeEntry(bytes);
    if (message != 0 && addMessage(message, bytes)) continue;
    release(message);
    failHeap();
    reportFailure(id);
  }
  setMessageBudget(budgetTold);
  tasksCame(time(), sentAt, isStepOutstanding());
  workNow();
  sendCancelled();
  if (current != 0 || inboxCount > 0 || hasDeliveries()) runTimerWithin(watchSeconds);
  replyEmpty();
}

/** Nobody waits for a task: what is not begun is dropped, and later stages are told. */
function dropTask(taskId: u64): void {
  dropFromInbox(taskId);
  cancelCurrent(taskId);
  noteCancelled(taskId);
}

export function stepOn(): void {
  if (!fromSelf()) return;
  if (!openArgument()) return reject(CanisterError.outOfMemory, 'no heap for the argument');
  const number = readU32();
  closeArgument();
  step(number);
  replyEmpty();
}

/** Does nothing: its reply is what a waiting call needs. */
export function wake(): void {
  if (fromSelf()) replyEmpty();
}
