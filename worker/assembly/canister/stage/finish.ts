/** The end of a task at this stage: its outputs go to the next stage or to the head, or stay here. */
import {
  CanisterError,
  entryLengthBytes,
  maxStageMessageBytes,
  partResultHeaderBytes,
  stageTraceBytes,
  taskHeaderBytes,
  traceCountAt,
} from '../../generated/constants';
import { mostHeld } from '../../program/interpreter';
import {
  hasRows,
  outputBytes,
  outputHeadBytes,
  outputSegments,
  segmentAt,
  segmentBytes,
  selectRows,
  writeOutputs,
} from '../../program/outputs';
import { fail, number, text } from '../../tensor/errors';
import { alloc, release } from '../../tensor/memory';
import { partDone } from '../head/runs';
import { ownerOf, Part, partAt, partBytes } from '../head/tasks';
import { isHead, isLast, keepsResults, stageIndex } from '../setup/config';
import { Work } from './inbox';
import { keepPart } from './kept';
import {
  addDelivery,
  collect,
  Delivery,
  DeliveryKind,
  freeDelivery,
  newDelivery,
  newReport,
  reportBytes,
} from './outbox';
import { countInstructions, current, dropCurrent, endCurrent, failHeap, failWork } from './work';

/** What a call costs after its trace was written: 50 a byte, and the calls of the system interface. */
const instructionsPerByteSent: u64 = 50;
const instructionsPerSegment: u64 = 600;
const instructionsPerCall: u64 = 10_000;

/** The current task's program is done: hands its outputs on. */
export function finishWork(): void {
  const task = changetype<Work>(current);
  if (!isLast()) sendOn(task);
  else if (task.partCount > 1 && !hasRows(task.rows)) failRows(task);
  else if (isHead() || keepsResults()) keepHere(task);
  else sendResults(task);
}

function failRows(task: Work): void {
  fail(CanisterError.internal);
  text('the outputs do not have the ');
  number(task.rows);
  text(' rows of the inputs, so they cannot be told apart');
  failWork();
}

function failNoHeap(): void {
  failHeap();
  failWork();
}

function failTooLarge(total: u64): void {
  fail(CanisterError.unsupported);
  text('the outputs of stage ');
  number(stageIndex);
  text(' take ');
  number(total);
  text(' bytes; a message between canisters holds ');
  number(maxStageMessageBytes);
  text('; use smaller micro-batches or cut the model elsewhere');
  failWork();
}

/** Copies the traces of the stages before and adds this stage's; `share` of `whole` are told. */
function writeTraces(task: Work, out: usize, used: u64, bytesSent: u32, share: u32, whole: u32): void {
  const before = <usize>task.traceCount * stageTraceBytes;
  memory.copy(out, task.traces, before);
  const own = out + before;
  store<u64>(own, used);
  store<u32>(own, task.messages, 8);
  store<u32>(own, task.bytesReceived, 12);
  store<u32>(own, bytesSent, 16);
  store<u32>(own, <u32>mostHeld, 20);
  store<u64>(own, 0, 24);
  if (share == whole) return;
  for (let trace = out; trace <= own; trace += stageTraceBytes) {
    store<u64>(trace, (load<u64>(trace) * share) / whole);
    store<u32>(trace, <u32>((<u64>load<u32>(trace, 12) * share) / whole), 12);
    store<u32>(trace, <u32>((<u64>load<u32>(trace, 16) * share) / whole), 16);
  }
}

/**
 * A message with one block for `headBytes` of heads and, behind them, its list of segments; 0 where there
 * is no heap.
 */
function newMessage(kind: u32, taskId: u64, headBytes: u32, segmentCount: u32, bytes: u32): usize {
  const block = alloc(headBytes + segmentCount * <u32>segmentBytes);
  const address = newDelivery(kind, taskId);
  if (block == 0 || address == 0) {
    release(block);
    release(address);
    return 0;
  }
  const delivery = changetype<Delivery>(address);
  delivery.header = block;
  delivery.segments = block + headBytes;
  delivery.segmentCount = segmentCount;
  delivery.bytes = bytes;
  return address;
}

/** Sends the whole task to the next stage. */
function sendOn(task: Work): void {
  selectRows(0, 0, 0);
  const tables = task.partCount * partBytes() + (task.traceCount + 1) * stageTraceBytes;
  const headerBytes = entryLengthBytes + taskHeaderBytes + tables;
  const total = outputBytes(false) + headerBytes;
  if (total > maxStageMessageBytes) return failTooLarge(total);
  const listAt = (headerBytes + outputHeadBytes(false) + 7) & ~7;
  const segmentCount = outputSegments() + 1;
  const address = newMessage(DeliveryKind.run, task.taskId, listAt, segmentCount, <u32>total);
  if (address == 0) return failNoHeap();
  const delivery = changetype<Delivery>(address);
  const block = delivery.header;
  setSegment(delivery.segments, block, headerBytes);
  writeOutputs(block + headerBytes, delivery.segments + segmentBytes, false);
  // Inputs that pass through lie in the message, which then stays as long as the delivery. At the
  // head they lie in the run, which may be gone before.
  if (isHead() && task.message == 0 && !copyBorrowed(task, delivery)) {
    freeDelivery(delivery);
    return failNoHeap();
  }
  const cost =
    instructionsPerCall + instructionsPerByteSent * total + instructionsPerSegment * segmentCount;
  store<u32>(block, delivery.bytes - entryLengthBytes);
  const out = block + entryLengthBytes;
  store<u64>(out, task.taskId);
  store<u32>(out, task.isUrgent, 8);
  store<u32>(out, task.partCount, 12);
  store<u32>(out, task.traceCount + 1, 16);
  store<u32>(out, task.rows, 20);
  memory.copy(out + taskHeaderBytes, task.parts, task.partCount * partBytes());
  const traces = out + taskHeaderBytes + task.partCount * partBytes();
  writeTraces(task, traces, countInstructions(task, cost), delivery.bytes, 1, 1);
  delivery.input = task.message;
  addDelivery(delivery);
  endCurrent();
  collect(delivery);
}

function setSegment(list: usize, bytes: usize, length: u32): void {
  const segment = segmentAt(list, 0);
  segment.bytes = bytes;
  segment.length = length;
  segment.block = 0;
}

/** Gives pieces that lie in the run's input their own blocks; false where there is no heap. */
function copyBorrowed(task: Work, delivery: Delivery): bool {
  for (let i: u32 = 1; i < delivery.segmentCount; i++) {
    const segment = segmentAt(delivery.segments, i);
    const inInput = segment.bytes >= task.bundle && segment.bytes < task.bundle + task.bundleBytes;
    if (!inInput) continue;
    const copy = alloc(segment.length);
    if (copy == 0) return false;
    memory.copy(copy, segment.bytes, segment.length);
    segment.bytes = copy;
    segment.block = copy;
  }
  return true;
}

/** Rows of a part, and of all, so that it can be told what is its share. */
function shareOf(task: Work, part: Part): u32 {
  return task.partCount == 1 ? 1 : part.rows;
}
function shares(task: Work): u32 {
  return task.partCount == 1 ? 1 : task.rows;
}

function selectPart(task: Work, part: Part, first: u32): void {
  if (task.partCount == 1) selectRows(0, 0, 0);
  else selectRows(first, part.rows, task.rows);
}

/** Bytes of the header of a part's result, its traces included. */
function resultHeadBytes(task: Work): u32 {
  return partResultHeaderBytes + (task.traceCount + 1) * stageTraceBytes;
}

function writeResultHead(task: Work, part: Part, out: usize, used: u64, bytesSent: u32): void {
  store<u64>(out, task.taskId);
  store<u64>(out, part.runId, 8);
  store<u32>(out, part.index, 16);
  store<u32>(out, part.count, 20);
  store<u32>(out, 0, 24);
  store<u32>(out, task.traceCount + 1, traceCountAt);
  const traces = out + partResultHeaderBytes;
  writeTraces(task, traces, used, bytesSent, shareOf(task, part), shares(task));
}

/** Sends the head the result of each part. */
function sendResults(task: Work): void {
  const headBytes = entryLengthBytes + resultHeadBytes(task);
  let total: u64 = 0;
  let blockBytes: u32 = 0;
  for (let i: u32 = 0, first: u32 = 0; i < task.partCount; i++) {
    const part = partAt(task.parts, i);
    selectPart(task, part, first);
    first += part.rows;
    total += headBytes + outputBytes(true);
    blockBytes += (headBytes + outputHeadBytes(true) + 7) & ~7;
  }
  if (total > maxStageMessageBytes) return failTooLarge(total);
  const piecesOfPart = outputSegments() + 1;
  const segmentCount = piecesOfPart * task.partCount;
  const address = newMessage(DeliveryKind.done, task.taskId, blockBytes, segmentCount, <u32>total);
  if (address == 0) return failNoHeap();
  const delivery = changetype<Delivery>(address);
  const block = delivery.header;
  const cost =
    instructionsPerCall + instructionsPerByteSent * total + instructionsPerSegment * segmentCount;
  const used = countInstructions(task, cost);
  let at = block;
  let list = delivery.segments;
  for (let i: u32 = 0, first: u32 = 0; i < task.partCount; i++) {
    const part = partAt(task.parts, i);
    selectPart(task, part, first);
    first += part.rows;
    store<u32>(at, headBytes - entryLengthBytes + <u32>outputBytes(true));
    writeResultHead(task, part, at + entryLengthBytes, used, delivery.bytes);
    setSegment(list, at, headBytes);
    writeOutputs(at + headBytes, list + segmentBytes, true);
    at += (headBytes + outputHeadBytes(true) + 7) & ~7;
    list += <usize>piecesOfPart * segmentBytes;
  }
  delivery.input = task.message;
  addDelivery(delivery);
  endCurrent();
  collect(delivery);
}

/**
 * The result of each part stays here, in one block: with its run where this is the only stage, else
 * until it is fetched, and the head only hears that it is there.
 */
function keepHere(task: Work): void {
  const report: usize = isHead() ? 0 : newReport(task);
  if (report == 0 && !isHead()) return failNoHeap();
  const sent = isHead() ? 0 : reportBytes * task.partCount;
  const cost: u64 = isHead() ? 0 : instructionsPerCall + instructionsPerByteSent * sent;
  const messages = alloc(task.partCount << 3);
  if (messages == 0 || !takeResults(task, messages, cost, sent)) {
    release(messages);
    if (report != 0) freeDelivery(changetype<Delivery>(report));
    return failNoHeap();
  }
  const taskId = task.taskId;
  let isGood = true;
  for (let i: u32 = 0; i < task.partCount; i++) {
    const message: usize = load<u32>(messages + (<usize>i << 3));
    const bytes = load<u32>(messages + (<usize>i << 3), 4);
    const part = partAt(task.parts, i);
    const bundleBytes = bytes - resultHeadBytes(task);
    if (isHead()) partDone(taskId, part.runId, part.index, message, bytes, bundleBytes);
    else if (!isGood || !keepPart(part, ownerOf(part), message, bytes, bundleBytes)) {
      isGood = false;
      release(message);
    }
  }
  release(messages);
  if (!isGood) {
    freeDelivery(changetype<Delivery>(report));
    return failNoHeap();
  }
  dropCurrent();
  if (report == 0) return;
  addDelivery(changetype<Delivery>(report));
  collect(changetype<Delivery>(report));
}

/** Copies each part's result to a block; addresses and lengths go to `messages`. False where there is no heap. */
function takeResults(task: Work, messages: usize, cost: u64, sent: u32): bool {
  const headBytes = resultHeadBytes(task);
  memory.fill(messages, 0, task.partCount << 3);
  const pieces = outputSegments();
  const scratch = alloc(outputHeadBytes(true) + 8 + pieces * <u32>segmentBytes);
  let isGood = scratch != 0;
  for (let i: u32 = 0, first: u32 = 0; isGood && i < task.partCount; i++) {
    const part = partAt(task.parts, i);
    selectPart(task, part, first);
    first += part.rows;
    const bytes = headBytes + <u32>outputBytes(true);
    const message = alloc(bytes);
    isGood = message != 0;
    if (!isGood) break;
    store<u32>(messages + (<usize>i << 3), <u32>message);
    store<u32>(messages + (<usize>i << 3), bytes, 4);
    const list = scratch + ((outputHeadBytes(true) + 7) & ~7);
    writeOutputs(scratch, list, true);
    let at = message + headBytes;
    for (let piece: u32 = 0; piece < pieces; piece++) {
      const segment = segmentAt(list, piece);
      memory.copy(at, segment.bytes, segment.length);
      at += segment.length;
      release(segment.block);
    }
  }
  release(scratch);
  const used = isGood ? countInstructions(task, cost) : 0;
  for (let i: u32 = 0; i < task.partCount; i++) {
    const message: usize = load<u32>(messages + (<usize>i << 3));
    if (isGood) writeResultHead(task, partAt(task.parts, i), message, used, sent);
    else release(message);
  }
  return isGood;
}
