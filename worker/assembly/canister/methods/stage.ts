/** Methods by which the stage before hands a task on, and by which the worker calls itself. */
import { CanisterError, WorkerState } from '../../generated/constants';
import { release } from '../../tensor/memory';
import { setMessageBudget } from '../pacing/budget';
import { isHead, maxStages } from '../setup/config';
import { time } from '../ic/ic0';
import { quietIterations } from '../pacing/limits';
import { state } from '../setup/loading';
import { reject, replyEmpty } from '../ic/answer';
import { fromSelf, fromWorker, isConfigured, isOfEpoch } from '../setup/access';
import { reportFailure } from '../stage/outbox';
import { step, stepOutstanding, workNow } from '../stage/pace';
import { atLeast } from '../pacing/round';
import { budgetTold,
  epochSent, nextTask, openTasks, sentAt, takeTask, taskId, taskIndex } from '../stage/task-list';
import { addMessage, failHeap } from '../stage/work';

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
  for (let bytes = nextTask(); bytes != 0; bytes = nextTask()) {
    const message = takeTask(bytes);
    if (message != 0 && addMessage(message, bytes)) continue;
    release(message);
    failHeap();
    reportFailure(taskId, taskIndex);
  }
  setMessageBudget(budgetTold);
  // What comes from a round before is there in the first iteration.
  atLeast(sentAt == time() ? quietIterations : stepOutstanding ? 0 : 1);
  workNow();
  replyEmpty();
}

export function stepOn(): void {
  if (!fromSelf()) return;
  step();
  replyEmpty();
}

/** Does nothing: its reply is what a waiting call needs. */
export function wake(): void {
  if (fromSelf()) replyEmpty();
}
