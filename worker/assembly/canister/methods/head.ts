/** Methods of the first stage: runs in, results out. */
import {
  CallerOf,
  CanisterError,
  EnqueueMode,
  maxBatchesOfRun,
  partResultHeaderBytes,
  principalFieldBytes,
  stageTraceBytes,
} from '../../generated/constants';
import { readInputs } from '../../program/inputs';
import { rowsOf } from '../../program/rows';
import { isStageLow, noteLowStage } from '../head/low';
import { noteNews } from '../head/tasks';
import { isLow, rejectForCycles } from '../ic/cycles';
import { fail, text } from '../../tensor/errors';
import { release } from '../../tensor/memory';
import {
  bytesRead,
  closeArgument,
  isTruncated,
  openArgument,
  openBytes,
  readBytes,
  readU32,
  readU64,
  remaining,
} from '../ic/argument';
import { setCoordinatorLoad } from '../pacing/budget';
import { isHead, paced, rowsPerTask, stageCount } from '../setup/config';
import { msg_reply_data_append, time } from '../ic/ic0';
import { watchSeconds } from '../pacing/limits';
import { composeFailure, failureLength, reject, rejectFailure, replyEmpty } from '../ic/answer';
import { allows, headIsReady, isConfigured, isOfEpoch } from '../setup/access';
import { reportFailure } from '../stage/outbox';
import { isStepOutstanding, schedule, workNow } from '../stage/pace';
import { batchOf, Run } from '../head/run';
import { admit, line, partDone, taskFailed, withdraw } from '../head/runs';
import { newsCame, runCame } from '../pacing/round';
import { runTimerWithin } from '../ic/timer';
import {
  epochSent,
  loadTold,
  nextResult,
  nextRun,
  openResults,
  openRuns,
  resultIndex,
  resultRunId,
  resultTaskId,
  resultTraces,
  runCount,
  takeEntry,
} from '../stage/lists';
import { appendUntold } from '../head/ended';
import { appendReleased } from '../head/released';
import { wait } from '../head/waiting';
import { failHeap } from '../stage/work';
import { lowNews } from '../stage/news';

const fields = memory.data(16, 8);
const million: u64 = 1_000_000;

/** Takes one or several runs; each is taken or refused by itself. */
export function enqueue(): void {
  if (!allows(CallerOf.enqueue) || !headIsReady()) return;
  if (!openRuns()) {
    return reject(CanisterError.badMessage, 'enqueue: the argument is no list of 1 to 256 runs');
  }
  if (!isOfEpoch(epochSent)) return;
  if (isLow()) return rejectForCycles();
  if (isStageLow()) {
    return reject(CanisterError.lowOnCycles, 'a later stage is low on cycles: top up its worker');
  }
  const now = time();
  runCame(now, isStepOutstanding());
  setCoordinatorLoad(<u64>loadTold * million);
  const isAlone = runCount == 1;
  for (let bytes = nextRun(); bytes != 0; bytes = nextRun()) {
    const address = takeRun(bytes, isAlone, now);
    if (isAlone) return answerAlone(address);
    appendTaken(address);
  }
  startWork();
  appendUntold();
  replyEmpty();
}

/** The answer to a call with one run; `address` is 0 where it was refused. */
function answerAlone(address: usize): void {
  if (address == 0) return rejectFailure();
  startWork();
  const run = changetype<Run>(address);
  if (run.mode == EnqueueMode.wait) return wait(run);
  store<u64>(fields, run.id);
  msg_reply_data_append(fields, 8);
  appendUntold();
  replyEmpty();
}

/** Says of one of several runs that it was taken, or why not. */
function appendTaken(address: usize): void {
  store<u64>(fields, address == 0 ? 0 : changetype<Run>(address).id);
  msg_reply_data_append(fields, 8);
  if (address != 0) return;
  const reason = composeFailure();
  store<u32>(fields, failureLength());
  msg_reply_data_append(fields, 4);
  msg_reply_data_append(reason, failureLength());
}

function startWork(): void {
  if (paced) schedule();
  else workNow();
  runTimerWithin(watchSeconds);
}

/** Admits the run at hand and puts it in line; 0 with a failure's text where it is refused. */
function takeRun(bytes: u32, isAlone: bool, now: u64): usize {
  const block = takeEntry(bytes);
  if (block == 0) {
    fail(CanisterError.busy);
    text('the head has no heap left for the request; try again later');
    return 0;
  }
  openBytes(block, bytes);
  const address = readRun(isAlone, now);
  if (address == 0) {
    release(block);
    return 0;
  }
  const run = changetype<Run>(address);
  run.input = block;
  line(run, now);
  return address;
}

function badMessage(problem: string): usize {
  fail(CanisterError.badMessage);
  text(problem);
  return 0;
}

/** Admits the run that is opened; 0 with a failure's text where it cannot be. */
function readRun(isAlone: bool, now: u64): usize {
  const bytes = remaining();
  const mode = readU32();
  const deadline = readU32();
  const owner = readBytes(principalFieldBytes);
  const batchCount = readU32();
  if (load<u8>(owner) >= principalFieldBytes) return badMessage('enqueue: the owner is too long');
  if (mode != EnqueueMode.wait && mode != EnqueueMode.ticket) {
    return badMessage('enqueue: the mode must be 0 (wait) or 1 (ticket)');
  }
  if (mode == EnqueueMode.wait && !isAlone) {
    return badMessage('enqueue: a request that comes with others cannot wait for its result');
  }
  if (batchCount == 0 || batchCount > maxBatchesOfRun) {
    return badMessage('enqueue: a request has 1 to 1024 micro-batches');
  }
  const address = admit(mode, owner, batchCount, bytes, deadline, now);
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
  if (!allows(CallerOf.done) || !isConfigured()) return;
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
  if (!allows(CallerOf.fail) || !isConfigured()) return;
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
  if (!allows(CallerOf.news) || !isConfigured()) return;
  if (!openArgument()) return reject(CanisterError.outOfMemory, 'no heap for the news');
  const sent = readU64();
  if (isTruncated() || remaining() % 8 != 0 || !isHead()) {
    reject(CanisterError.badMessage, 'news: no list of ids, or not sent to the first stage');
  } else if (isOfEpoch(sent)) {
    while (remaining() > 0) {
      const id = readU64();
      if (id == lowNews) noteLowStage();
      else noteNews(id);
    }
    replyEmpty();
  }
  closeArgument();
}
