/**
 * What was sent to other workers and is not yet acknowledged, or waits to be sent again. A delivery
 * holds its bytes until the receiver has them.
 */
import {
  CanisterError,
  entryLengthBytes,
  listHeaderBytes,
  maxStageMessageBytes,
  partResultHeaderBytes,
} from '../../generated/constants';
import { byte, fail, number, text } from '../../tensor/errors';
import { alloc, release } from '../../tensor/memory';
import { segmentAt, segmentBytes } from '../../program/outputs';
import { callCanister, doneName, failName, runName } from '../ic/calls';
import { messageBudget } from '../pacing/budget';
import { epoch, isHead, isLast, stageIndex, worker } from '../setup/config';
import {
  call_data_append,
  call_perform,
  msg_reject_code,
  msg_reject_msg_copy,
  msg_reject_msg_size,
  time,
} from '../ic/ic0';
import { CallKind, numberMask } from '../ic/ids';
import { composeFailure, failureLength } from '../ic/answer';
import { cancelledCount, cancelledIds, clearCancelled } from '../head/cancelled';
import { taskFailed } from '../head/runs';
import { partAt } from '../head/tasks';
import { secondsOfCall } from '../pacing/limits';
import { Work } from './inbox';
import { runTimerWithin } from '../ic/timer';

export namespace DeliveryKind {
  export const run: u32 = 0;
  export const done: u32 = 1;
  export const fail: u32 = 2;
}

@unmanaged
export class Delivery {
  taskId: u64;
  /** When its call was made, nanoseconds. */
  sentAt: u64;
  /** Number of its call-back. */
  number: u32;
  kind: u32;
  attempts: u32;
  /** 1 while its call is not answered. */
  isUnderWay: u32;
  /** Block of the headers and of the list of pieces. */
  header: usize;
  segments: usize;
  segmentCount: u32;
  bytes: u32;
  /** Block of the task's input, where pieces lie in it; else 0. */
  input: usize;
  next: usize;
  /** The next of those that are sent with it in one call. */
  nextCollected: usize;
}

/** Reject codes, Interface Specification, "Reject codes". */
const sysTransient: u32 = 2;
const destinationInvalid: u32 = 3;
/** A canister that trapped, or that is stopping or stopped. */
const canisterError: u32 = 5;
/** So many seconds a task or a report waits for a worker that is stopped or out of room. */
const mostAttempts: u32 = 120;
/** Longest reason of a rejection that is passed on. */
const maxReasonBytes: u32 = 1024;

/** In the order in which they were made. */
let first: usize = 0;
let last: usize = 0;
/** Deliveries of this message that go out in one call, and their bytes. */
let collectedFirst: usize = 0;
let collectedLast: usize = 0;
let collectedBytes: u32 = 0;
/** Bytes of the delivery collected last. */
let usualBytes: u32 = 0;
const listHeader = memory.data(32, 8);
/** Interface Specification and system-api-costs.json: what a byte of a call's argument costs. */
const instructionsPerByteSent: u64 = 50;
/** Number of the next delivery's call-back. */
export let nextNumber: u32 = 1;
/** Deliveries not acknowledged. */
export let deliveries: u32 = 0;

export function startNumbers(number: u32): void {
  nextNumber = number;
}
export function firstDelivery(): usize {
  return first;
}

/** A new, empty delivery; 0 where there is no heap. */
export function newDelivery(kind: u32, taskId: u64): usize {
  const address = alloc(offsetof<Delivery>());
  if (address == 0) return 0;
  memory.fill(address, 0, offsetof<Delivery>());
  const delivery = changetype<Delivery>(address);
  delivery.kind = kind;
  delivery.taskId = taskId;
  return address;
}

/** Puts a delivery in the list; it has no number yet. */
export function addDelivery(delivery: Delivery): void {
  delivery.next = 0;
  if (last == 0) first = changetype<usize>(delivery);
  else changetype<Delivery>(last).next = changetype<usize>(delivery);
  last = changetype<usize>(delivery);
  deliveries++;
}

/** Sends a delivery now, in a call of its own. */
export function sendDelivery(delivery: Delivery): void {
  sendCollected();
  collect(delivery);
  sendCollected();
}

/** Adds a task's delivery to those that the message sends at its end, by {@link sendCollected}. */
export function collect(delivery: Delivery): void {
  if (collectedBytes + delivery.bytes > maxStageMessageBytes) sendCollected();
  delivery.nextCollected = 0;
  if (collectedFirst == 0) collectedFirst = changetype<usize>(delivery);
  else changetype<Delivery>(collectedLast).nextCollected = changetype<usize>(delivery);
  collectedLast = changetype<usize>(delivery);
  collectedBytes += delivery.bytes;
  usualBytes = delivery.bytes;
}

/** Instructions that this message will take at its end to send what is collected. */
export function costOfCollected(): u64 {
  return instructionsPerByteSent * <u64>collectedBytes;
}

/** The same for what is collected and one task more. */
export function costOfSending(): u64 {
  return costOfCollected() + instructionsPerByteSent * <u64>usualBytes;
}

/** Appends the header of a list; only one that goes to later stages names cancelled tasks, once. */
function appendHeader(namesCancelled: bool): void {
  const count: u32 = namesCancelled ? cancelledCount() : 0;
  store<u64>(listHeader, epoch);
  store<u64>(listHeader, time(), 8);
  store<u64>(listHeader, messageBudget(), 16);
  store<u32>(listHeader, count, 24);
  store<u32>(listHeader, 0, 28);
  call_data_append(listHeader, listHeaderBytes);
  call_data_append(cancelledIds(), count << 3);
  if (namesCancelled) clearCancelled();
}

/** Tells the next stage of cancelled tasks, where no other list has. */
export function sendCancelled(): void {
  if (cancelledCount() == 0) return;
  if (isLast()) return clearCancelled();
  callCanister(worker(stageIndex + 1), runName, 3, CallKind.notice, 0);
  appendHeader(true);
  call_perform();
}

/** Sends what was collected in one call; where the system refuses, the timer tries again. */
export function sendCollected(): void {
  const head = collectedFirst;
  if (head == 0) return;
  collectedFirst = 0;
  collectedBytes = 0;
  const number = nextNumber;
  nextNumber = (nextNumber + 1) & numberMask;
  const kind = changetype<Delivery>(head).kind;
  if (kind == DeliveryKind.run) {
    callCanister(worker(stageIndex + 1), runName, 3, CallKind.deliver, number);
  } else if (kind == DeliveryKind.done) callCanister(worker(0), doneName, 4, CallKind.deliver, number);
  else callCanister(worker(0), failName, 4, CallKind.deliver, number);
  if (kind != DeliveryKind.fail) {
    appendHeader(kind == DeliveryKind.run);
  }
  for (let at = head; at != 0; at = changetype<Delivery>(at).nextCollected) {
    const delivery = changetype<Delivery>(at);
    delivery.number = number;
    delivery.sentAt = time();
    delivery.attempts++;
    for (let i: u32 = 0; i < delivery.segmentCount; i++) {
      const segment = segmentAt(delivery.segments, i);
      call_data_append(segment.bytes, segment.length);
    }
  }
  const isUnderWay = call_perform() == 0;
  for (let at = head; at != 0;) {
    const delivery = changetype<Delivery>(at);
    at = delivery.nextCollected;
    delivery.isUnderWay = isUnderWay ? 1 : 0;
    if (!isUnderWay) refused(delivery, sysTransient, true);
  }
}

function removeDelivery(delivery: Delivery): void {
  const address = changetype<usize>(delivery);
  let before: usize = 0;
  for (let at = first; at != address; at = changetype<Delivery>(at).next) before = at;
  if (before == 0) first = delivery.next;
  else changetype<Delivery>(before).next = delivery.next;
  if (last == address) last = before;
  deliveries--;
  freeDelivery(delivery);
}

/** Frees a delivery that is not in the list, and all it holds. */
export function freeDelivery(delivery: Delivery): void {
  for (let i: u32 = 0; i < delivery.segmentCount; i++) {
    release(segmentAt(delivery.segments, i).block);
  }
  release(delivery.header);
  release(delivery.input);
  release(changetype<usize>(delivery));
}

function findDelivery(number: u32): usize {
  for (let at = first; at != 0; at = changetype<Delivery>(at).next) {
    const delivery = changetype<Delivery>(at);
    if (delivery.isUnderWay != 0 && delivery.number == number) return at;
  }
  return 0;
}

/** The receiver has taken what was sent under `number`. */
export function delivered(number: u32): void {
  for (let at = findDelivery(number); at != 0; at = findDelivery(number)) {
    removeDelivery(changetype<Delivery>(at));
  }
}

/**
 * The call of what was sent under `number` was rejected. All of it waits where the receiver is stopped or
 * has no room; else tasks that went together are sent again one by one: a single one may be to blame.
 */
export function deliveryRejected(number: u32): void {
  const code = <u32>msg_reject_code();
  const mayWait = code == sysTransient || (code == canisterError && saysItIsStopped());
  let isAlone = true;
  for (let at = findDelivery(number); at != 0; at = findDelivery(number)) {
    const delivery = changetype<Delivery>(at);
    delivery.isUnderWay = 0;
    if (isAlone) isAlone = findDelivery(number) == 0;
    if (isAlone || mayWait) refused(delivery, code, mayWait);
    else sendDelivery(delivery);
  }
}

const stoppedWord = memory.data<u8>([0x20, 0x73, 0x74, 0x6f, 0x70, 0x70]); // " stopp"
const stoppedLength: u32 = 6;
const runningWord = memory.data<u8>([0x6e, 0x6f, 0x74, 0x20, 0x72, 0x75, 0x6e, 0x6e, 0x69, 0x6e, 0x67]); // "not running"
const runningLength: u32 = 11;

/** Canisters that trap and canisters that are stopped are told apart by the text only. */
function saysItIsStopped(): bool {
  const length = min(<u32>msg_reject_msg_size(), maxReasonBytes);
  const buffer = alloc(length);
  if (buffer == 0) return false;
  msg_reject_msg_copy(buffer, 0, length);
  const says =
    contains(buffer, length, stoppedWord, stoppedLength) ||
    contains(buffer, length, runningWord, runningLength);
  release(buffer);
  return says;
}

function contains(bytes: usize, length: u32, word: usize, wordLength: u32): bool {
  for (let at: u32 = 0; at + wordLength <= length; at++) {
    if (memory.compare(bytes + at, word, wordLength) == 0) return true;
  }
  return false;
}

function refused(delivery: Delivery, code: u32, mayWait: bool): void {
  const isRun = delivery.kind == DeliveryKind.run;
  const isWorthIt = isRun ? mayWait : code != destinationInvalid;
  if (isWorthIt && delivery.attempts < mostAttempts) {
    runTimerWithin(1);
    return;
  }
  if (isRun) failNextStage(delivery, code);
  removeDelivery(delivery);
}

/** Tells the head that the next stage did not take the task. */
function failNextStage(delivery: Delivery, code: u32): void {
  fail(CanisterError.nextStage);
  text('stage ');
  number(stageIndex + 1);
  text(' did not take the task from stage ');
  number(stageIndex);
  text(' (reject code ');
  number(code);
  text('): ');
  appendRejection();
  reportFailure(delivery.taskId);
}

/** Adds the text of the rejection at work to the failure's text. */
export function appendRejection(): void {
  const length = min(<u32>msg_reject_msg_size(), maxReasonBytes);
  const buffer = alloc(length);
  if (buffer == 0) return;
  msg_reject_msg_copy(buffer, 0, length);
  for (let i: u32 = 0; i < length; i++) byte(load<u8>(buffer + i));
  release(buffer);
}

/** Fails a task with the failure of `tensor/errors`: at the head itself, or by a call to it. */
export function reportFailure(taskId: u64): void {
  const reason = composeFailure();
  const length = failureLength();
  if (isHead()) {
    taskFailed(taskId, stageIndex, reason, length);
    return;
  }
  const bytes = 24 + length;
  const header = alloc(bytes + 16);
  const address = newDelivery(DeliveryKind.fail, taskId);
  if (header == 0 || address == 0) {
    // Without heap for 2 KiB the head finds out by itself: no news of the task.
    release(header);
    release(address);
    return;
  }
  store<u64>(header, epoch);
  store<u64>(header, taskId, 8);
  store<u32>(header, stageIndex, 16);
  store<u32>(header, length, 20);
  memory.copy(header + 24, reason, length);
  sendBlock(changetype<Delivery>(address), header, bytes);
}

/** Bytes of a part that is reported as done without its result, its length included. */
export const reportBytes: u32 = entryLengthBytes + partResultHeaderBytes;

/**
 * A delivery, not yet in the list, that tells the head of a task whose results stay here; 0 where there
 * is no heap.
 */
export function newReport(task: Work): usize {
  const bytes = reportBytes * task.partCount;
  const header = alloc(bytes + <u32>segmentBytes);
  const address = newDelivery(DeliveryKind.done, task.taskId);
  if (header == 0 || address == 0) {
    release(header);
    release(address);
    return 0;
  }
  memory.fill(header, 0, bytes);
  for (let i: u32 = 0; i < task.partCount; i++) {
    const part = partAt(task.parts, i);
    const out = header + i * reportBytes;
    store<u32>(out, partResultHeaderBytes);
    store<u64>(out, task.taskId, 4);
    store<u64>(out, part.runId, 12);
    store<u32>(out, part.index, 20);
    store<u32>(out, part.count, 24);
  }
  setBlock(changetype<Delivery>(address), header, bytes);
  return address;
}

/** Adds and sends a delivery of one block, which has room for its list of one piece at the end. */
function sendBlock(delivery: Delivery, block: usize, bytes: u32): void {
  setBlock(delivery, block, bytes);
  addDelivery(delivery);
  sendDelivery(delivery);
}

function setBlock(delivery: Delivery, block: usize, bytes: u32): void {
  delivery.header = block;
  delivery.segments = block + ((bytes + 3) & ~3);
  delivery.segmentCount = 1;
  delivery.bytes = bytes;
  const segment = segmentAt(delivery.segments, 0);
  segment.bytes = block;
  segment.length = bytes;
  segment.block = 0;
}

/**
 * Sends again what waits for it, the oldest first and together, and what was never answered: the state
 * may be that of a snapshot, taken before the call.
 */
export function sendWaiting(): void {
  sendCollected();
  const lost = time() - secondsOfCall * 1_000_000_000;
  let kind = DeliveryKind.run;
  for (let at = first; at != 0; ) {
    const delivery = changetype<Delivery>(at);
    at = delivery.next;
    if (delivery.isUnderWay != 0) {
      if (delivery.sentAt > lost) continue;
      delivery.isUnderWay = 0;
    }
    if (delivery.kind != kind || kind == DeliveryKind.fail) sendCollected();
    kind = delivery.kind;
    collect(delivery);
  }
  sendCollected();
}

/** Whether calls are to be watched. */
export function hasDeliveries(): bool {
  return first != 0;
}
