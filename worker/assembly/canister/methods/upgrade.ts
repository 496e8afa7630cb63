/**
 * What outlives an upgrade: configuration and shard lie in stable memory anyway; runs, tasks and
 * deliveries are saved before and put back after. A task under way begins again from its input. Where
 * something cannot be put back the upgrade fails, and the module before goes on.
 */
import {
  CanisterError,
  principalFieldBytes,
  stageTraceBytes,
  taskHeaderBytes,
  WorkerState,
} from '../../generated/constants';
import { Segment, segmentAt } from '../../program/outputs';
import {
  configurationLength,
  isBlank,
  loadWanted,
  readConfiguration,
  roomFor,
  setLayout,
  whyUnreadable,
} from '../../store/layout';
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
import { errorLength, errorText, fail, text } from '../../tensor/errors';
import { alloc, release } from '../../tensor/memory';
import { callerOf, principalOf } from '../head/callers';
import { restoreCancelled, saveCancelled } from '../head/cancelled';
import { costBytes, restoreUntold, saveUntold } from '../head/ended';
import { addKept, keptFirstSlot } from '../head/kept';
import { countRestored, RunState } from '../head/moves';
import { restoreReleased, saveReleased } from '../head/released';
import { batchBytes, batchOf, hasRunTable, Run, runAt, slots } from '../head/run';
import { makeTables, nextId, startIds } from '../head/runs';
import {
  addTask,
  findTask,
  firstTask,
  nextTaskId,
  partBytes,
  startTaskIds,
  Task,
  tasksUnderWay,
} from '../head/tasks';
import { time, trap } from '../ic/ic0';
import { runTimerWithin } from '../ic/timer';
import {
  chunkLengthWanted,
  commitConfiguration,
  isHead,
  keepsResults,
  parseConfiguration,
  problem,
  shardLength,
} from '../setup/config';
import { beginLoading, loadAll, state, unload } from '../setup/loading';
import { addMessage, firstInInbox, inboxCount, restoredWork, Work, workOf } from '../stage/inbox';
import { makeKeptTable, restoreKept, saveKept } from '../stage/kept';
import {
  addDelivery,
  deliveries,
  Delivery,
  firstDelivery,
  newDelivery,
  nextNumber,
  startNumbers,
} from '../stage/outbox';
import { restoreStep, stepNumber, stepSentAt } from '../stage/pace';
import {
  current,
  instructionsUsed,
  restoreCounters,
  resume,
  tasksFinished,
} from '../stage/work';

/** Changes whenever the saved fields do. */
const savedVersion: u32 = 4;
/** Fields for structs read from stable memory. */
const record = memory.data(128, 16);
const owner = memory.data(32, 8);

/** A new canister: ids begin with the time, so that those of an earlier life do not come again. */
export function beginLife(): void {
  startIds(time());
  startTaskIds(time());
}

export function saveState(): void {
  if (state == WorkerState.empty) return;
  beginSaving();
  saveU32(savedVersion);
  saveU64(nextId);
  saveU64(nextTaskId);
  saveU32(nextNumber);
  saveU64(tasksFinished);
  saveU64(instructionsUsed);
  saveU32(stepNumber);
  saveU64(stepSentAt);
  saveRuns();
  saveTasks();
  saveWork();
  saveDeliveries();
  saveKept();
  saveReleased();
  saveCancelled();
  saveUntold();
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
    if (run.id != 0 && run.state != RunState.kept) saveRun(run);
  }
  for (let at = keptFirstSlot(); at != 0; at = runAt(at - 1).keptNext) saveRun(runAt(at - 1));
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
  saveBytes(run.batches, run.batchCount * <u32>batchBytes);
  if (run.input != 0) saveBytes(run.input, run.inputBytes);
  if (run.failure != 0) saveBytes(run.failure, run.failureBytes);
  if (run.costs != 0) {
    saveU32(costBytes(run.costs));
    saveBytes(run.costs, costBytes(run.costs));
  }
  for (let index: u32 = 0; index < run.batchCount; index++) {
    const batch = batchOf(run, index);
    if (batch.result != 0) saveBytes(batch.result, batch.resultBytes);
  }
}

function restoreRuns(): void {
  const count = restoreU32();
  for (let i: u32 = 0; i < count; i++) {
    restoreBytes(record, offsetof<Run>());
    const run = runAt(<u32>(changetype<Run>(record).id % slots));
    memory.copy(changetype<usize>(run), record, offsetof<Run>());
    restoreBytes(owner, principalFieldBytes);
    run.caller = callerOf(owner);
    run.next = 0;
    run.isInLine = 0;
    run.batches = restoreBlock(run.batchCount * <u32>batchBytes);
    if (run.input != 0) run.input = restoreBlock(run.inputBytes);
    if (run.failure != 0) run.failure = restoreBlock(run.failureBytes);
    if (run.costs != 0) run.costs = restoreBlock(restoreU32());
    for (let index: u32 = 0; index < run.batchCount; index++) {
      const batch = batchOf(run, index);
      if (batch.result != 0) batch.result = restoreBlock(batch.resultBytes);
    }
    countRestored(run);
    if (run.state == RunState.kept) addKept(run);
  }
}

function saveTasks(): void {
  saveU32(tasksUnderWay);
  for (let at = firstTask(); at != 0; at = changetype<Task>(at).next) {
    const task = changetype<Task>(at);
    saveU32(task.partCount);
    saveBytes(at, offsetof<Task>());
    saveBytes(task.parts, task.partCount * partBytes());
  }
}

function restoreTasks(): void {
  const count = restoreU32();
  for (let i: u32 = 0; i < count; i++) {
    const parts = restoreU32();
    addTask(changetype<Task>(restoreBlock(<u32>offsetof<Task>() + parts * partBytes())));
  }
}

/** A task at the head is its id, and its rows where they were put together; elsewhere the message that brought it. */
function saveWork(): void {
  saveU32(inboxCount + (current != 0 ? 1 : 0));
  if (current != 0) saveOne(changetype<Work>(current));
  for (let at = firstInInbox(); at != 0; at = changetype<Work>(at).next) {
    saveOne(changetype<Work>(at));
  }
}

function saveOne(work: Work): void {
  let bytes: u32 = 0;
  if (isHead()) {
    saveU64(work.taskId);
    if (work.message != 0) bytes = work.bundleBytes;
  } else {
    bytes = <u32>(work.bundle - work.message) + work.bundleBytes;
  }
  saveU32(bytes);
  if (bytes > 0) saveBytes(work.message, bytes);
}

function restoreWork(): void {
  const count = restoreU32();
  for (let i: u32 = 0; i < count; i++) {
    const task = isHead() ? changetype<Task>(findTask(restoreU64())) : changetype<Task>(0);
    const bytes = restoreU32();
    const message: usize = bytes > 0 ? restoreBlock(bytes) : 0;
    if (!isHead()) {
      if (!addMessage(message, bytes)) unreachable();
      continue;
    }
    const work = message == 0 ? workOf(task) : restoredWork(task, message, bytes);
    if (work == 0) unreachable();
    resume(work);
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
    const address = newDelivery(saved.kind, saved.taskId);
    const block = alloc(bytes);
    const list = alloc(offsetof<Segment>());
    if (address == 0 || block == 0 || list == 0) unreachable();
    const delivery = changetype<Delivery>(address);
    delivery.number = saved.number;
    delivery.sentAt = saved.sentAt;
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

/** Traps, so that the upgrade fails and the module before goes on with all it has. */
function refuseUpgrade(why: string, detail: string): void {
  fail(CanisterError.internal);
  text('upgrade refused: ');
  text(why);
  text(detail);
  text('; the module before goes on. Install the new one in new canisters, or reinstall this one');
  trap(errorText(), errorLength());
}

const noHeap = 'the heap has no room for the ';

/** Brings the worker back to where it was; one that was never configured begins anew. */
export function restoreState(): void {
  beginLife();
  if (isBlank()) return;
  const why = whyUnreadable();
  if (why.length > 0) refuseUpgrade('what is in stable memory cannot be read: ', why);
  const length = configurationLength();
  const bytes = alloc(length);
  if (bytes == 0) refuseUpgrade(noHeap, 'configuration');
  readConfiguration(bytes, length);
  if (!parseConfiguration(bytes, length)) {
    refuseUpgrade('the configuration in stable memory cannot be read: ', problem);
  }
  commitConfiguration(bytes, length);
  release(bytes);
  if (!roomFor(shardLength, chunkLengthWanted)) {
    refuseUpgrade('stable memory has no room for the shard', '');
  }
  setLayout(shardLength, chunkLengthWanted);
  if (isHead() && !makeTables()) refuseUpgrade(noHeap, 'tables of runs');
  if (keepsResults() && !makeKeptTable()) refuseUpgrade(noHeap, 'table of results');
  unload();
  if (loadWanted()) {
    if (!beginLoading()) refuseUpgrade('the shard does not load any more: ', '');
    loadAll();
  }
  if (!beginRestoring()) return;
  if (restoreU32() != savedVersion) refuseUpgrade('the state was saved by another release', '');
  startIds(restoreU64());
  startTaskIds(restoreU64());
  startNumbers(restoreU32());
  const tasks = restoreU64();
  restoreCounters(tasks, restoreU64());
  const number = restoreU32();
  restoreStep(number, restoreU64());
  restoreRuns();
  restoreTasks();
  restoreWork();
  restoreDeliveries();
  restoreKept();
  restoreReleased();
  restoreCancelled();
  restoreUntold();
  // No call may be made here; the timer goes on with the work.
  runTimerWithin(0);
}
