/**
 * Results that stay at the last stage until they are fetched and released: for each run the
 * micro-batches that are done, as they would have gone to the head.
 */
import { principalFieldBytes } from '../../generated/constants';
import { restoreBlock, restoreBytes, restoreU32, saveBytes, saveU32 } from '../../store/saved';
import { alloc, release } from '../../tensor/memory';
import { msg_arg_data_copy, msg_arg_data_size } from '../ic/ic0';
import { maxKeptBytes, maxKeptResults, maxBatches } from '../pacing/limits';
import { Batch, batchAt, batchBytes } from '../head/run';
import {
  callerDropped,
  callerHolds,
  callerKeeps,
  callerKeepsMore,
  callerOf,
  callerReleased,
  holdsMost,
  makeCallerTable,
  noCaller,
  principalOf,
} from '../head/callers';
import { Part } from '../head/tasks';
import { noteEndedKept } from '../head/ended';
import { doneHeaderBytes, encodedPartBytes } from '../head/results';

@unmanaged
export class KeptResult {
  runId: u64;
  /** Of all results the oldest has the least; grows with every micro-batch. */
  age: u64;
  /** Of the encoded result, as far as its micro-batches are here. */
  bytes: u64;
  batchCount: u32;
  batchesHere: u32;
  /** `batchCount` entries of {@link Batch}. */
  batches: usize;
  /** Entry of its caller. */
  caller: u32;
}

const field = memory.data(8, 8);
const owner = memory.data(32, 8);
const entryBytes: usize = offsetof<KeptResult>();
/** One more than are kept: the newest comes before the oldest goes. */
const mostEntries: u32 = maxKeptResults + 1;
/** Entries without gaps, in no order. Only a last stage where results stay has the table. */
let table: usize = 0;
let count: u32 = 0;
let bytesKept: u64 = 0;
let batchesKept: u32 = 0;
let newest: u64 = 0;

function entryAt(index: u32): KeptResult {
  return changetype<KeptResult>(table + <usize>index * entryBytes);
}

/** How many runs something is kept of, and their ids, in no order. */
export function keptCount(): u32 {
  return count;
}
export function keptRunId(index: u32): u64 {
  return entryAt(index).runId;
}

/** Address of what is here of a run, 0 where nothing is. */
export function findKept(id: u64): usize {
  for (let index: u32 = 0; index < count; index++) {
    if (entryAt(index).runId == id) return changetype<usize>(entryAt(index));
  }
  return 0;
}

export function isComplete(result: KeptResult): bool {
  return result.batchesHere == result.batchCount;
}

/** Makes the table where there is none; false where there is no heap for it. */
export function makeKeptTable(): bool {
  if (table == 0) table = alloc(<usize>mostEntries * entryBytes);
  return table != 0 && makeCallerTable();
}

/** A new entry without micro-batches; 0 where there is no heap. */
function addEntry(id: u64, batchCount: u32, owner: usize): usize {
  const bytes = <usize>batchCount * batchBytes;
  const caller = callerOf(owner);
  const batches: usize = caller == noCaller ? 0 : alloc(bytes);
  if (batches == 0) return 0;
  memory.fill(batches, 0, bytes);
  const result = entryAt(count++);
  result.runId = id;
  result.bytes = doneHeaderBytes;
  result.batchCount = batchCount;
  result.batchesHere = 0;
  result.batches = batches;
  result.caller = caller;
  callerHolds(caller);
  callerKeeps(caller, result.bytes);
  bytesKept += result.bytes;
  return changetype<usize>(result);
}

/**
 * Keeps the result of a part of a task for the run's owner; `message`, its `PartResult`, is ours from now
 * on. False, and nothing changed, where there is no heap for it.
 */
export function keepPart(
  part: Part,
  owner: usize,
  message: usize,
  bytes: u32,
  bundleBytes: u32,
): bool {
  let address = findKept(part.runId);
  if (address != 0 && changetype<KeptResult>(address).batchCount != part.count) {
    forgetEntry(changetype<KeptResult>(address));
    address = 0;
  }
  if (address == 0) address = addEntry(part.runId, part.count, owner);
  if (address == 0) return false;
  const result = changetype<KeptResult>(address);
  const batch = batchAt(result.batches, part.index);
  dropBatch(result, batch);
  batch.result = message;
  batch.resultBytes = bytes;
  batch.bundleBytes = bundleBytes;
  result.batchesHere++;
  result.age = ++newest;
  batchesKept++;
  grow(result, encodedPartBytes(bytes));
  pushOut();
  return true;
}

function grow(result: KeptResult, bytes: i64): void {
  result.bytes += bytes;
  bytesKept += bytes;
  callerKeepsMore(result.caller, bytes);
}

function dropBatch(result: KeptResult, batch: Batch): void {
  if (batch.result == 0) return;
  release(batch.result);
  batch.result = 0;
  result.batchesHere--;
  batchesKept--;
  grow(result, -(<i64>encodedPartBytes(batch.resultBytes)));
}

/** Forgets results beyond the limits, complete or not, but never the newest. */
function pushOut(): void {
  while (
    count > 1 &&
    (count > maxKeptResults || bytesKept > maxKeptBytes || batchesKept > maxBatches)
  ) {
    const mine = oldestOf(holdsMost(bytesKept > maxKeptBytes));
    const result = changetype<KeptResult>(mine == 0 ? oldestOf(noCaller) : mine);
    if (isComplete(result)) {
      noteEndedKept(result.runId, result.bytes, result.batches, result.batchCount);
    }
    forgetEntry(result);
  }
}

/** The oldest result of a caller, or of all, but the newest; 0 where there is none. */
function oldestOf(caller: u32): usize {
  let found: usize = 0;
  for (let index: u32 = 0; index < count; index++) {
    const entry = entryAt(index);
    if (entry.age == newest || (caller != noCaller && entry.caller != caller)) continue;
    if (found == 0 || entry.age < changetype<KeptResult>(found).age) {
      found = changetype<usize>(entry);
    }
  }
  return found;
}

function forgetEntry(result: KeptResult): void {
  for (let index: u32 = 0; index < result.batchCount; index++) {
    dropBatch(result, batchAt(result.batches, index));
  }
  release(result.batches);
  bytesKept -= result.bytes;
  callerReleased(result.caller, result.bytes);
  callerDropped(result.caller);
  count--;
  memory.copy(changetype<usize>(result), changetype<usize>(entryAt(count)), entryBytes);
}

/** Forgets all results. */
export function forgetAllKept(): void {
  while (count > 0) forgetEntry(entryAt(count - 1));
}

/** Forgets what is here of a run. */
export function forgetKept(id: u64): void {
  const address = findKept(id);
  if (address != 0) forgetEntry(changetype<KeptResult>(address));
}

/** The head's reply to `done` is the argument: forgets what it names. */
export function releaseNamed(): void {
  const size = msg_arg_data_size();
  for (let at: usize = 0; at + 8 <= size; at += 8) {
    msg_arg_data_copy(field, at, 8);
    forgetKept(load<u64>(field));
  }
}

export function saveKept(): void {
  saveU32(count);
  for (let at: u32 = 0; at < count; at++) {
    const result = entryAt(at);
    saveBytes(changetype<usize>(result), <u32>entryBytes);
    saveBytes(principalOf(result.caller), principalFieldBytes);
    saveBytes(result.batches, result.batchCount * <u32>batchBytes);
    for (let index: u32 = 0; index < result.batchCount; index++) {
      const batch = batchAt(result.batches, index);
      if (batch.result != 0) saveBytes(batch.result, batch.resultBytes);
    }
  }
}

/** Puts back what was saved. Traps where there is no heap, which stops the upgrade. */
export function restoreKept(): void {
  count = restoreU32();
  if (count > 0 && !makeKeptTable()) unreachable();
  for (let at: u32 = 0; at < count; at++) {
    const result = entryAt(at);
    restoreBytes(changetype<usize>(result), <u32>entryBytes);
    restoreBytes(owner, principalFieldBytes);
    result.caller = callerOf(owner);
    callerHolds(result.caller);
    callerKeeps(result.caller, result.bytes);
    result.batches = restoreBlock(result.batchCount * <u32>batchBytes);
    for (let index: u32 = 0; index < result.batchCount; index++) {
      const batch = batchAt(result.batches, index);
      if (batch.result != 0) batch.result = restoreBlock(batch.resultBytes);
    }
    newest = max(newest, result.age);
    bytesKept += result.bytes;
    batchesKept += result.batchesHere;
  }
}
