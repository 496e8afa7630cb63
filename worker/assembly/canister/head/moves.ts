/**
 * The life of a run: its states, the legal moves between them, and the one function that moves it on.
 * What a state holds is taken when it is entered and freed when it is left, here and nowhere else.
 *
 * | state | what it means | goes on to |
 * | --- | --- | --- |
 * | free | the slot is empty | admitted |
 * | admitted | its message is being read | awaited, active, free |
 * | awaited | it waits or works, and a call waits for the result | active, owed |
 * | active | it waits or works, and no call waits | kept, ending |
 * | owed | finished; the call that waits will be given the result | kept, ending |
 * | kept | finished; the result is kept until it is released | ending |
 * | ending | nobody wants the result, a task of it is still at the head | free |
 */
import { alloc, release } from '../../tensor/memory';
import { noteEnd } from '../pacing/budget';
import {
  addFirstToCaller,
  addToCaller,
  callerBegan,
  callerDropped,
  callerFinished,
  callerHolds,
  removeFromCaller,
} from './callers';
import { addKept, removeKept } from './kept';
import { batchBytes, batchOf, BatchState, clearRun, Run, slotOf } from './run';

export namespace RunState {
  export const free: u32 = 0;
  export const admitted: u32 = 1;
  export const awaited: u32 = 2;
  export const active: u32 = 3;
  export const owed: u32 = 4;
  export const kept: u32 = 5;
  export const ending: u32 = 6;
}

/** Runs not finished. */
export let unfinished: u32 = 0;
/** Calls that wait for a result. */
export let openCalls: u32 = 0;
/** Micro-batches of all runs in the table. */
export let batchesKnown: u32 = 0;
/** Micro-batches not launched, and their rows. */
export let batchesWaiting: u32 = 0;
export let rowsWaiting: u64 = 0;
/** Bytes of the inputs that are held. */
export let inputBytesHeld: u64 = 0;

/** Bit `to` is set where a run in state `from` may go to state `to`. */
function movesFrom(from: u32): u32 {
  switch (from) {
    case RunState.free:
      return 1 << RunState.admitted;
    case RunState.admitted:
      return (1 << RunState.awaited) | (1 << RunState.active) | (1 << RunState.free);
    case RunState.awaited:
      return (1 << RunState.active) | (1 << RunState.owed);
    case RunState.active:
      return (1 << RunState.kept) | (1 << RunState.ending);
    case RunState.owed:
      return (1 << RunState.kept) | (1 << RunState.ending);
    case RunState.kept:
      return 1 << RunState.ending;
    default:
      return 1 << RunState.free;
  }
}

/** Whether it waits or works. */
export function isLive(run: Run): bool {
  return run.state == RunState.awaited || run.state == RunState.active;
}
/** Whether a call waits for its result. */
export function hasCall(run: Run): bool {
  return run.state == RunState.awaited || run.state == RunState.owed;
}
function countsAsUnfinished(state: u32): bool {
  return state == RunState.admitted || state == RunState.awaited || state == RunState.active;
}

/** Moves a run on. A move that is not legal is a bug: it traps, and the message is undone. */
export function move(run: Run, to: u32): void {
  const from = run.state;
  if (((movesFrom(from) >> to) & 1) == 0) unreachable();
  const hadCall = hasCall(run);
  if (from == RunState.kept) removeKept(run);
  run.state = to;
  openCalls += <u32>hasCall(run) - <u32>hadCall;
  if (from == RunState.admitted && to != RunState.free) enterLine(run);
  if (countsAsUnfinished(from) && !countsAsUnfinished(to)) {
    unfinished--;
    callerFinished(run.caller);
    leaveLine(run);
    if (to != RunState.free) noteEnd();
  }
  if (to == RunState.kept) addKept(run);
  else if (to == RunState.ending) freeResult(run);
  else if (to == RunState.free) freeAll(run);
  if (to != RunState.free) trim(run);
}

/** Takes a free slot for a run of a caller; false where there is no heap. */
export function takeSlot(run: Run, id: u64, caller: u32, batchCount: u32): bool {
  const batches = alloc(<usize>batchCount * batchBytes);
  if (batches == 0) return false;
  memory.fill(batches, 0, <usize>batchCount * batchBytes);
  run.id = id;
  run.caller = caller;
  run.batchCount = batchCount;
  run.batches = batches;
  callerHolds(caller);
  callerBegan(caller);
  unfinished++;
  batchesKnown += batchCount;
  move(run, RunState.admitted);
  return true;
}

/** Counts a run that an upgrade has put into the table, its blocks restored. */
export function countRestored(run: Run): void {
  callerHolds(run.caller);
  batchesKnown += run.batchCount;
  inputBytesHeld += run.inputBytes;
  openCalls += <u32>hasCall(run);
  if (!isLive(run)) return;
  unfinished++;
  callerBegan(run.caller);
  for (let index: u32 = 0; index < run.batchCount; index++) countWaiting(run, index, 1);
  if (run.batchesWaiting > 0) {
    addToCaller(run.caller, slotOf(run));
    run.isInLine = 1;
  }
}

/** Counts a micro-batch as waiting, or no longer (-1). */
function countWaiting(run: Run, index: u32, sign: i32): void {
  const batch = batchOf(run, index);
  if (batch.state != BatchState.waiting) return;
  batchesWaiting += <u32>sign;
  rowsWaiting += <u64>(<i64>sign * max<u32>(batch.rows, 1));
}

function enterLine(run: Run): void {
  run.batchesWaiting = run.batchCount;
  inputBytesHeld += run.inputBytes;
  for (let index: u32 = 0; index < run.batchCount; index++) countWaiting(run, index, 1);
  addToCaller(run.caller, slotOf(run));
  run.isInLine = 1;
}

function leaveLine(run: Run): void {
  if (run.batchesWaiting > 0) {
    for (let index: u32 = 0; index < run.batchCount; index++) countWaiting(run, index, -1);
    run.batchesWaiting = 0;
  }
  if (run.isInLine == 0) return;
  removeFromCaller(run.caller, slotOf(run));
  run.isInLine = 0;
}

/** Launches the first micro-batch that waits, and gives its index. */
export function launchBatch(run: Run): u32 {
  let index = run.firstWaiting;
  while (batchOf(run, index).state != BatchState.waiting) index++;
  countWaiting(run, index, -1);
  batchOf(run, index).state = BatchState.out;
  run.firstWaiting = index + 1;
  run.partsOut++;
  run.partsAtHead++;
  if (--run.batchesWaiting == 0) leaveLine(run);
  return index;
}

/** Puts a micro-batch whose task came to nothing back, to go alone and before the caller's others. */
export function waitAgain(run: Run, index: u32): void {
  const batch = batchOf(run, index);
  batch.state = BatchState.waiting;
  batch.isAlone = 1;
  countWaiting(run, index, 1);
  run.batchesWaiting++;
  run.firstWaiting = min(run.firstWaiting, index);
  if (run.isInLine != 0) return;
  addFirstToCaller(run.caller, slotOf(run));
  run.isInLine = 1;
}

/** A task with a micro-batch of this run is over, or nobody waits for it. */
export function partIsOver(run: Run): void {
  run.partsOut--;
}

/** A task with a micro-batch of this run has left the head. */
export function partLeftHead(run: Run): void {
  run.partsAtHead--;
  trim(run);
}

/** Frees the input once no task will read it, and a run that ends once no task is at the head. */
function trim(run: Run): void {
  if (run.partsAtHead > 0 || countsAsUnfinished(run.state)) return;
  inputBytesHeld -= run.inputBytes;
  release(run.input);
  run.input = 0;
  run.inputBytes = 0;
  if (run.state == RunState.ending) move(run, RunState.free);
}

function freeBatches(run: Run): void {
  for (let index: u32 = 0; index < run.batchCount; index++) {
    const batch = batchOf(run, index);
    release(batch.result);
    batch.result = 0;
  }
}

/** Frees what is there of the results of a run that failed. */
export function freePartialResult(run: Run): void {
  freeBatches(run);
}

function freeResult(run: Run): void {
  freeBatches(run);
  release(run.failure);
  run.failure = 0;
  run.failureBytes = 0;
  release(run.costs);
  run.costs = 0;
}

function freeAll(run: Run): void {
  batchesKnown -= run.batchCount;
  release(run.batches);
  callerDropped(run.caller);
  clearRun(run);
}
