/** Methods of the first stage: runs in, results out. */
import { CanisterError, EnqueueMode, stageTraceBytes, maxTasksOfRun, principalFieldBytes, taskHeaderBytes } from '../../generated/constants';
import { readInputs } from '../../program/inputs';
import { fail, text } from '../../tensor/errors';
import {
  closeArgument,
  bytesRead,
  isTruncated,
  keepArgument,
  openArgument,
  readBytes,
  readU16,
  readU32,
  readU64,
  remaining,
} from '../ic/argument';
import { setCoordinatorLoad } from '../pacing/budget';
import { epoch, isHead, paced, stageCount } from '../setup/config';
import { msg_reply_data_append } from '../ic/ic0';
import { silenceSeconds } from '../pacing/limits';
import { reject, rejectFailure, replyEmpty } from '../ic/answer';
import { fromCoordinator, fromWorker, failEpoch, headIsReady, isConfigured, isOfEpoch } from '../setup/access';
import { reportFailure } from '../stage/outbox';
import { schedule, stepOutstanding, workNow } from '../stage/pace';
import { Run, taskOf } from '../head/run';
import { admit, line, taskDone, taskFailed, withdraw } from '../head/runs';
import { atLeast } from '../pacing/round';
import { runTimerWithin } from '../ic/timer';
import { epochSent, nextTask, openTasks, takeTask, taskId, taskIndex, traceCount } from '../stage/task-list';
import { appendReleased } from '../head/released';
import { wait } from '../head/waiting';
import { failHeap } from '../stage/work';

const fields = memory.data(16, 8);
const million: u64 = 1_000_000;

/** What the coordinator takes in a round, as the run in the argument says. */
let coordinatorLoad: u64 = 0;

export function enqueue(): void {
  if (!fromCoordinator() || !headIsReady()) return;
  if (!openArgument()) {
    reject(CanisterError.busy, 'the head has no heap left for the request; try again later');
    return;
  }
  const address = readRun();
  if (address == 0) {
    closeArgument();
    rejectFailure();
    return;
  }
  const run = changetype<Run>(address);
  run.input = keepArgument();
  line(run);
  atLeast(stepOutstanding ? 1 : 2);
  setCoordinatorLoad(coordinatorLoad);
  if (paced) schedule();
  else workNow();
  runTimerWithin(silenceSeconds);
  if (run.mode == EnqueueMode.wait) {
    wait(run);
    return;
  }
  store<u64>(fields, run.id);
  msg_reply_data_append(fields, 8);
  replyEmpty();
}

function badMessage(problem: string): usize {
  fail(CanisterError.badMessage);
  text(problem);
  return 0;
}

/** Admits the run in the argument; 0 with a failure's text where it cannot be. */
function readRun(): usize {
  const bytes = remaining();
  const sent = readU64();
  const mode = readU16();
  coordinatorLoad = <u64>readU16() * million;
  const deadline = readU32();
  const owner = readBytes(principalFieldBytes);
  const taskCount = readU32();
  if (isTruncated()) return badMessage('enqueue: the argument is truncated');
  if (sent != epoch) {
    failEpoch(sent);
    return 0;
  }
  if (load<u8>(owner) >= principalFieldBytes) return badMessage('enqueue: the owner is too long');
  if (mode != EnqueueMode.wait && mode != EnqueueMode.ticket) {
    return badMessage('enqueue: the mode must be 0 (wait) or 1 (ticket)');
  }
  if (taskCount == 0 || taskCount > maxTasksOfRun) {
    return badMessage('enqueue: a request has 1 to 1024 micro-batches');
  }
  const address = admit(mode, owner, taskCount, bytes);
  if (address == 0) return 0;
  const run = changetype<Run>(address);
  run.inputBytes = bytes;
  for (let index: u32 = 0; index < taskCount; index++) {
    const length = readU32();
    const task = taskOf(run, index);
    task.offset = bytesRead();
    task.length = length;
    const bundle = readBytes(length);
    if (isTruncated()) badMessage('enqueue: a micro-batch is truncated');
    else if (readInputs(bundle, length, false)) continue;
    withdraw(run);
    return 0;
  }
  if (remaining() == 0) return address;
  withdraw(run);
  return badMessage('enqueue: there are bytes behind the last micro-batch');
}

/** The last stage brings a result. */
export function done(): void {
  if (!fromWorker() || !isConfigured()) return;
  if (!isHead() || !openTasks(stageCount)) {
    return reject(CanisterError.badMessage, 'done: no list of tasks, or not sent to the first stage');
  }
  if (!isOfEpoch(epochSent)) return;
  atLeast(0);
  for (let bytes = nextTask(); bytes != 0; bytes = nextTask()) {
    const bundle = bytes - taskHeaderBytes - traceCount * stageTraceBytes;
    const message = takeTask(bytes);
    if (message != 0) taskDone(taskId, taskIndex, message, bytes, bundle);
    else {
      failHeap();
      reportFailure(taskId, taskIndex);
    }
  }
  schedule();
  appendReleased();
  replyEmpty();
}

/** A stage tells that a task came to nothing. */
export function failed(): void {
  if (!fromWorker() || !isConfigured()) return;
  if (!openArgument()) return reject(CanisterError.outOfMemory, 'no heap for the failure');
  const sent = readU64();
  const id = readU64();
  const taskIndex = readU32();
  const stage = readU32();
  const length = readU32();
  const reason = readBytes(length);
  if (isTruncated() || !isHead()) {
    reject(CanisterError.badMessage, 'fail: no Failure, or not sent to the first stage');
  } else if (isOfEpoch(sent)) {
    atLeast(0);
    taskFailed(id, taskIndex, stage, reason, length);
    schedule();
    replyEmpty();
  }
  closeArgument();
}
