/**
 * What outlives an upgrade: configuration and shard lie in stable memory anyway; runs, tasks and
 * deliveries are saved before and put back after. A task under way begins again from its input.
 */
import {
  RunState,
  Run,
  runAt,
  hasRunTable,
  slots,
  TaskEntry,
  taskOf,
  taskEntryBytes,
} from '../head/run';
import { CanisterError, principalFieldBytes, stageTraceBytes, WorkerState, taskHeaderBytes } from '../../generated/constants';
import { Segment, segmentAt } from '../../program/outputs';
import { configurationLength, loadWanted, readConfiguration, roomFor, setLayout } from '../../store/layout';
import {
  beginRestoring,
  beginSaving,
  endSaving,
  restoreBlock,
  restoreBytes,
  restoreU32,
  restoreU64,
  saveBytes,
  saveU32,
  saveU64,
} from '../../store/saved';
import { alloc, release } from '../../tensor/memory';
import {
  chunkLengthWanted,
  isHead,
  keepsResults,
  shardLength,
  commitConfiguration,
  parseConfiguration,
  problem,
} from '../setup/config';
import { time, trap } from '../ic/ic0';
import { errorLength, errorText, fail, text } from '../../tensor/errors';
import { principalOf } from '../head/callers';
import { keptFirstSlot } from '../head/kept';
import { beginLoading, loadAll, state, unload } from '../setup/loading';
import {
  addDelivery,
  deliveries,
  Delivery,
  firstDelivery,
  newDelivery,
  nextNumber,
  startNumbers,
} from '../stage/outbox';
import { restoreStep, stepOutstanding } from '../stage/pace';
import { keepResult, makeTables, nextId, restoreRun, startIds } from '../head/runs';
import { makeKeptTable, restoreKept, saveKept } from '../stage/kept';
import { runTimerWithin } from '../ic/timer';
import { restoreReleased, saveReleased } from '../head/released';
import {
  addMessage,
  current,
  firstInInbox,
  inboxCount,
  instructionsUsed,
  restoreCounters,
  resumeRun,
  tasksFinished,
  Work,
} from '../stage/work';

/** Changes whenever the saved fields do. */
const savedVersion: u32 = 3;
/** A field for structs read from stable memory. */
const record = memory.data(128, 16);
const owner = memory.data(32, 8);

/** A new canister: ids begin with the time, so that those of an earlier life do not come again. */
export function beginLife(): void {
  startIds(time());
}

export function saveState(): void {
  if (state == WorkerState.empty) return;
  beginSaving();
  saveU32(savedVersion);
  saveU64(nextId);
  saveU32(nextNumber);
  saveU64(tasksFinished);
  saveU64(instructionsUsed);
  saveU32(stepOutstanding ? 1 : 0);
  saveRuns();
  saveWork();
  saveDeliveries();
  saveKept();
  saveReleased();
  endSaving();
}

/** Runs whose results are kept come last, oldest first, so that they are kept in this order. */
function saveRuns(): void {
  if (!hasRunTable()) {
    saveU32(0);
    return;
  }
  let count: u32 = 0;
  for (let slot: u32 = 0; slot < slots; slot++) if (runAt(slot).id != 0) count++;
  saveU32(count);
  const oldest = oldestId();
  // In the order of their ids, so that each caller's runs stay in line.
  for (let i: u32 = 0; i < slots; i++) {
    const run = runAt(<u32>((oldest + i) % slots));
    if (run.id != 0 && run.isKept == 0) saveRun(run);
  }
  for (let at = keptFirstSlot(); at != 0; at = runAt(at - 1).keptNext) {
    saveRun(runAt(at - 1));
  }
}

function oldestId(): u64 {
  let oldest: u64 = u64.MAX_VALUE;
  for (let slot: u32 = 0; slot < slots; slot++) {
    const id = runAt(slot).id;
    if (id != 0 && id < oldest) oldest = id;
  }
  return oldest;
}

function saveRun(run: Run): void {
  saveBytes(changetype<usize>(run), offsetof<Run>());
  saveBytes(principalOf(run.caller), principalFieldBytes);
  saveBytes(run.tasks, run.taskCount * <u32>taskEntryBytes);
  if (run.input != 0) saveBytes(run.input, run.inputBytes);
  if (run.failure != 0) saveBytes(run.failure, run.failureBytes);
  for (let index: u32 = 0; index < run.taskCount; index++) {
    const task = taskOf(run, index);
    if (task.result != 0) saveBytes(task.result, task.resultBytes);
  }
}

function restoreRuns(): void {
  const count = restoreU32();
  for (let i: u32 = 0; i < count; i++) {
    restoreBytes(record, offsetof<Run>());
    const wasKept = changetype<Run>(record).isKept != 0;
    restoreBytes(owner, principalFieldBytes);
    const run = changetype<Run>(restoreRun(changetype<Run>(record), owner));
    run.tasks = restoreBlock(run.taskCount * <u32>taskEntryBytes);
    if (run.input != 0) run.input = restoreBlock(run.inputBytes);
    if (run.failure != 0) run.failure = restoreBlock(run.failureBytes);
    for (let index: u32 = 0; index < run.taskCount; index++) {
      const task = taskOf(run, index);
      if (task.result != 0) task.result = restoreBlock(task.resultBytes);
    }
    if (wasKept) keepResult(run);
  }
}

/** A task at the head is its run and index; one at a later stage is the message that brought it. */
function saveWork(): void {
  saveU32(inboxCount + (current != 0 ? 1 : 0));
  if (current != 0) saveOne(changetype<Work>(current));
  for (let at = firstInInbox(); at != 0; at = changetype<Work>(at).next) {
    saveOne(changetype<Work>(at));
  }
}

function saveOne(work: Work): void {
  saveU64(work.runId);
  saveU32(work.taskIndex);
  if (work.message == 0) return;
  const bytes = taskHeaderBytes + work.traceCount * stageTraceBytes + work.bundleBytes;
  saveU32(bytes);
  saveBytes(work.message, bytes);
}

function restoreWork(): void {
  const count = restoreU32();
  for (let i: u32 = 0; i < count; i++) {
    const runId = restoreU64();
    const taskIndex = restoreU32();
    if (isHead()) {
      const run = runAt(<u32>(runId % slots));
      if (!resumeRun(run, taskIndex)) unreachable();
    } else {
      const bytes = restoreU32();
      if (!addMessage(restoreBlock(bytes), bytes)) unreachable();
    }
  }
}

function saveDeliveries(): void {
  saveU32(deliveries);
  for (let at = firstDelivery(); at != 0; at = changetype<Delivery>(at).next) {
    const delivery = changetype<Delivery>(at);
    saveBytes(at, offsetof<Delivery>());
    for (let i: u32 = 0; i < delivery.segmentCount; i++) {
      const segment = segmentAt(delivery.segments, i);
      saveBytes(segment.bytes, segment.length);
    }
  }
}

function restoreDeliveries(): void {
  const count = restoreU32();
  for (let i: u32 = 0; i < count; i++) {
    restoreBytes(record, offsetof<Delivery>());
    const saved = changetype<Delivery>(record);
    const bytes = saved.bytes;
    const address = newDelivery(saved.kind, saved.runId, saved.taskIndex);
    const block = alloc(bytes);
    const list = alloc(offsetof<Segment>());
    if (address == 0 || block == 0 || list == 0) unreachable();
    const delivery = changetype<Delivery>(address);
    delivery.number = saved.number;
    delivery.attempts = saved.attempts;
    delivery.isUnderWay = saved.isUnderWay;
    delivery.bytes = bytes;
    restoreBytes(block, bytes);
    delivery.header = list;
    delivery.segments = list;
    delivery.segmentCount = 1;
    const segment = segmentAt(list, 0);
    segment.bytes = block;
    segment.length = bytes;
    segment.block = block;
    addDelivery(delivery);
  }
}

/** Traps, so that the upgrade fails and the release before goes on with all it has. */
function refuseUpgrade(why: string, detail: string): void {
  fail(CanisterError.internal);
  text('upgrade refused: ');
  text(why);
  text(detail);
  text('; the release before goes on. Install the new one in new canisters, or reinstall this one');
  trap(errorText(), errorLength());
}

/** Brings the worker back to where it was; without a configuration it begins anew. */
export function restoreState(): void {
  beginLife();
  const length = configurationLength();
  if (length == 0) return;
  const bytes = alloc(length);
  if (bytes == 0) unreachable();
  readConfiguration(bytes, length);
  if (!parseConfiguration(bytes, length)) {
    refuseUpgrade('the configuration in stable memory cannot be read: ', problem);
  }
  commitConfiguration(bytes, length);
  release(bytes);
  if (!roomFor(shardLength, chunkLengthWanted)) unreachable();
  setLayout(shardLength, chunkLengthWanted);
  if (isHead() && !makeTables()) unreachable();
  if (keepsResults() && !makeKeptTable()) unreachable();
  unload();
  if (loadWanted() && beginLoading()) loadAll();
  if (!beginRestoring()) return;
  if (restoreU32() != savedVersion) {
    refuseUpgrade('the state was saved by another release', '');
  }
  startIds(restoreU64());
  startNumbers(restoreU32());
  const tasks = restoreU64();
  restoreCounters(tasks, restoreU64());
  restoreStep(restoreU32() != 0);
  restoreRuns();
  restoreWork();
  restoreDeliveries();
  restoreKept();
  restoreReleased();
  // No call may be made here; the timer goes on with the work.
  runTimerWithin(0);
}
