/**
 * What outlives an upgrade: configuration and shard lie in stable memory anyway; requests, tasks and
 * deliveries are saved before and put back after. A task under way begins again from its input.
 */
import {
  RequestState,
  Request,
  requestAt,
  hasRequestTable,
  slots,
  TaskEntry,
  taskOf,
  taskEntryBytes,
} from './request';
import { stageTraceBytes, WorkerState } from '../generated/constants';
import { Segment, segmentAt } from '../program/outputs';
import { configurationLength, loadWanted, readConfiguration, setLayout } from '../store/layout';
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
} from '../store/saved';
import { alloc, release } from '../tensor/memory';
import {
  chunkLengthWanted,
  isHead,
  keepsResults,
  shardLength,
  takeConfiguration,
} from './config';
import { time } from './ic0';
import { keptFirstSlot } from './kept';
import { beginLoading, loadAll, state, unload } from './loading';
import {
  addDelivery,
  deliveries,
  Delivery,
  firstDelivery,
  newDelivery,
  nextNumber,
  startNumbers,
} from './outbox';
import { restoreStep, stepOutstanding } from './pace';
import { keepResult, makeTables, nextId, restoreRequest, startIds } from './requests';
import { makeStayingTable, restoreStaying, saveStaying } from './staying';
import { runTimerWithin } from './timer';
import { restoreUnwanted, saveUnwanted } from './unwanted';
import {
  addMessage,
  current,
  firstInInbox,
  inboxCount,
  instructionsUsed,
  restoreCounters,
  resumeRequest,
  tasksFinished,
  Work,
} from './work';
import { taskHeaderBytes } from './task-list';

/** Changes whenever the saved fields do. */
const savedVersion: u32 = 2;
/** A field for structs read from stable memory. */
const record = memory.data(128, 16);

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
  saveRequests();
  saveWork();
  saveDeliveries();
  saveStaying();
  saveUnwanted();
  endSaving();
}

/** Requests whose results are kept come last, oldest first, so that they are kept in this order. */
function saveRequests(): void {
  if (!hasRequestTable()) {
    saveU32(0);
    return;
  }
  let count: u32 = 0;
  for (let slot: u32 = 0; slot < slots; slot++) if (requestAt(slot).id != 0) count++;
  saveU32(count);
  const oldest = oldestId();
  // In the order of their ids, so that each caller's requests stay in line.
  for (let i: u32 = 0; i < slots; i++) {
    const request = requestAt(<u32>((oldest + i) % slots));
    if (request.id != 0 && request.isKept == 0) saveRequest(request);
  }
  for (let at = keptFirstSlot(); at != 0; at = requestAt(at - 1).keptNext) {
    saveRequest(requestAt(at - 1));
  }
}

function oldestId(): u64 {
  let oldest: u64 = u64.MAX_VALUE;
  for (let slot: u32 = 0; slot < slots; slot++) {
    const id = requestAt(slot).id;
    if (id != 0 && id < oldest) oldest = id;
  }
  return oldest;
}

function saveRequest(request: Request): void {
  saveBytes(changetype<usize>(request), offsetof<Request>());
  saveBytes(request.tasks, request.taskCount * <u32>taskEntryBytes);
  if (request.input != 0) saveBytes(request.input, request.inputBytes);
  if (request.failure != 0) saveBytes(request.failure, request.failureBytes);
  for (let index: u32 = 0; index < request.taskCount; index++) {
    const task = taskOf(request, index);
    if (task.result != 0) saveBytes(task.result, task.resultBytes);
  }
}

function restoreRequests(): void {
  const count = restoreU32();
  for (let i: u32 = 0; i < count; i++) {
    restoreBytes(record, offsetof<Request>());
    const wasKept = changetype<Request>(record).isKept != 0;
    const request = changetype<Request>(restoreRequest(changetype<Request>(record)));
    request.tasks = restoreBlock(request.taskCount * <u32>taskEntryBytes);
    if (request.input != 0) request.input = restoreBlock(request.inputBytes);
    if (request.failure != 0) request.failure = restoreBlock(request.failureBytes);
    for (let index: u32 = 0; index < request.taskCount; index++) {
      const task = taskOf(request, index);
      if (task.result != 0) task.result = restoreBlock(task.resultBytes);
    }
    if (wasKept) keepResult(request);
  }
}

/** A task at the head is its request and index; one at a later stage is the message that brought it. */
function saveWork(): void {
  saveU32(inboxCount + (current != 0 ? 1 : 0));
  if (current != 0) saveOne(changetype<Work>(current));
  for (let at = firstInInbox(); at != 0; at = changetype<Work>(at).next) {
    saveOne(changetype<Work>(at));
  }
}

function saveOne(work: Work): void {
  saveU64(work.requestId);
  saveU32(work.taskIndex);
  if (work.message == 0) return;
  const bytes = taskHeaderBytes + work.traceCount * stageTraceBytes + work.bundleBytes;
  saveU32(bytes);
  saveBytes(work.message, bytes);
}

function restoreWork(): void {
  const count = restoreU32();
  for (let i: u32 = 0; i < count; i++) {
    const requestId = restoreU64();
    const taskIndex = restoreU32();
    if (isHead()) {
      const request = requestAt(<u32>(requestId % slots));
      if (!resumeRequest(request, taskIndex)) unreachable();
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
    const address = newDelivery(saved.kind, saved.requestId, saved.taskIndex);
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

/** Brings the worker back to where it was; without a configuration it begins anew. */
export function restoreState(): void {
  beginLife();
  const length = configurationLength();
  if (length == 0) return;
  const bytes = alloc(length);
  if (bytes == 0) unreachable();
  readConfiguration(bytes, length);
  const good = takeConfiguration(bytes, length);
  release(bytes);
  if (!good || !setLayout(shardLength, chunkLengthWanted)) return;
  if (isHead() && !makeTables()) unreachable();
  if (keepsResults() && !makeStayingTable()) unreachable();
  unload();
  if (loadWanted() && beginLoading()) loadAll();
  if (!beginRestoring() || restoreU32() != savedVersion) return;
  startIds(restoreU64());
  startNumbers(restoreU32());
  const tasks = restoreU64();
  restoreCounters(tasks, restoreU64());
  restoreStep(restoreU32() != 0);
  restoreRequests();
  restoreWork();
  restoreDeliveries();
  restoreStaying();
  restoreUnwanted();
  // No call may be made here; the timer goes on with the work.
  runTimerWithin(0);
}
