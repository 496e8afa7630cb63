/** Methods of the first stage: runs in, results out. */
import {
  CanisterError,
  EnqueueMode,
  maxBatchesOfRun,
  partResultHeaderBytes,
  principalFieldBytes,
  stageTraceBytes,
} from '../../generated/constants';
import { readInputs } from '../../program/inputs';
import { rowsOf } from '../../program/rows';
import { noteNews } from '../head/tasks';
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
import { epoch, isHead, paced, rowsPerTask, stageCount } from '../setup/config';
import { msg_reply_data_append, time } from '../ic/ic0';
import { watchSeconds } from '../pacing/limits';
import { reject, rejectFailure, replyEmpty } from '../ic/answer';
import { fromCoordinator, fromWorker, failEpoch, headIsReady, isConfigured, isOfEpoch } from '../setup/access';
import { reportFailure } from '../stage/outbox';
import { isStepOutstanding, schedule, workNow } from '../stage/pace';
import { batchOf, Run } from '../head/run';
import { admit, line, partDone, taskFailed, withdraw } from '../head/runs';
import { newsCame, runCame } from '../pacing/round';
import { runTimerWithin } from '../ic/timer';
import {
  epochSent,
  nextResult,
  openResults,
  resultIndex,
  resultRunId,
  resultTaskId,
  resultTraces,
  takeEntry,
} from '../stage/lists';
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
  runCame(time(), isStepOutstanding());
  setCoordinatorLoad(coordinatorLoad);
  if (paced) schedule();
  else workNow();
  runTimerWithin(watchSeconds);
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
  const batchCount = readU32();
  if (isTruncated()) return badMessage('enqueue: the argument is truncated');
  if (sent != epoch) {
    failEpoch(sent);
    return 0;
  }
  if (load<u8>(owner) >= principalFieldBytes) return badMessage('enqueue: the owner is too long');
  if (mode != EnqueueMode.wait && mode != EnqueueMode.ticket) {
    return badMessage('enqueue: the mode must be 0 (wait) or 1 (ticket)');
  }
  if (batchCount == 0 || batchCount > maxBatchesOfRun) {
    return badMessage('enqueue: a request has 1 to 1024 micro-batches');
  }
  const address = admit(mode, owner, batchCount, bytes, deadline);
  if (address == 0) return 0;
  const run = changetype<Run>(address);
  for (let index: u32 = 0; index < batchCount; index++) {
    const length = readU32();
    const batch = batchOf(run, index);
    batch.offset = bytesRead();
    batch.length = length;
    const bundle = readBytes(length);
    if (isTruncated()) badMessage('enqueue: a micro-batch is truncated');
    else if (readInputs(bundle, length, false)) {
      // A task holds no more rows than one message of work is planned for.
      const rows: u32 = rowsPerTask == 0 ? 0 : rowsOf(bundle);
      batch.rows = rows > rowsPerTask ? 0 : rows;
      continue;
    }
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
  if (!isHead() || !openResults(stageCount)) {
    return reject(CanisterError.badMessage, 'done: no list of results, or not sent to the first stage');
  }
  if (!isOfEpoch(epochSent)) return;
  newsCame(time());
  for (let bytes = nextResult(); bytes != 0; bytes = nextResult()) {
    const taskId = resultTaskId;
    const bundle = bytes - partResultHeaderBytes - resultTraces * stageTraceBytes;
    const message = takeEntry(bytes);
    if (message != 0) partDone(taskId, resultRunId, resultIndex, message, bytes, bundle);
    else {
      failHeap();
      reportFailure(taskId);
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
  const taskId = readU64();
  const stage = readU32();
  const length = readU32();
  const reason = readBytes(length);
  if (isTruncated() || !isHead()) {
    reject(CanisterError.badMessage, 'fail: no Failure, or not sent to the first stage');
  } else if (isOfEpoch(sent)) {
    newsCame(time());
    taskFailed(taskId, stage, reason, length);
    schedule();
    replyEmpty();
  }
  closeArgument();
}

/** A stage names the tasks it still has. */
export function news(): void {
  if (!fromWorker() || !isConfigured()) return;
  if (!openArgument()) return reject(CanisterError.outOfMemory, 'no heap for the news');
  const sent = readU64();
  if (isTruncated() || remaining() % 8 != 0 || !isHead()) {
    reject(CanisterError.badMessage, 'news: no list of ids, or not sent to the first stage');
  } else if (isOfEpoch(sent)) {
    while (remaining() > 0) noteNews(readU64());
    replyEmpty();
  }
  closeArgument();
}
