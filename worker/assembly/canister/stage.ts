/** Methods by which the stage before hands a task on, and by which the worker calls itself. */
import { CanisterError, stageTraceBytes, WorkerState } from '../generated/constants';
import {
  closeArgument,
  isTruncated,
  keepArgument,
  openArgument,
  readBytes,
  readU32,
  remaining,
} from './argument';
import { isHead, maxStages } from './config';
import { state } from './loading';
import { fromSelf, fromWorker, reject, replyEmpty } from './message';
import { step, workNow } from './pace';
import { isConfigured } from './upload';
import { addMessage } from './work';

/** Request id and task index. */
const idBytes: u32 = 12;

export function run(): void {
  if (!fromWorker() || !isConfigured()) return;
  if (state != WorkerState.ready) {
    return reject(CanisterError.notReady, 'the worker has not loaded its shard yet');
  }
  if (isHead()) {
    return reject(CanisterError.badMessage, 'run: tasks reach the first stage by enqueue');
  }
  if (!openArgument()) return reject(CanisterError.outOfMemory, 'no heap for the task');
  const bytes = remaining();
  readBytes(idBytes);
  const traces = readU32();
  const good = !isTruncated() && traces < maxStages && <u64>traces * stageTraceBytes <= remaining();
  if (!good) {
    closeArgument();
    return reject(CanisterError.badMessage, 'run: the argument is no Task');
  }
  if (!addMessage(keepArgument(), bytes)) {
    return reject(CanisterError.outOfMemory, 'no heap for the task');
  }
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
