/**
 * `EndedRun` of the protocol: how runs ended and what they cost, for the coordinator's log. It is told of
 * each run that it releases, and of those that end here unasked in the next answer to it.
 */
import { endedRunBytes, RunEnd, stageTraceBytes, traceCountAt } from '../../generated/constants';
import { restoreBlock, restoreU32, saveBytes, saveU32 } from '../../store/saved';
import { alloc, release } from '../../tensor/memory';
import { msg_reply_data_append } from '../ic/ic0';
import { Batch, batchAt, Outcome, Run } from './run';

/** Bytes before the text, and of the count of traces behind it. */
const fixedBytes: u32 = endedRunBytes - 4;
const countBytes: u32 = 4;

/** Ended runs of which the coordinator has not heard: address and length of each, the oldest first. */
const mostUntold: u32 = 64;
const untold = memory.data(512, 8);
let untoldCount: u32 = 0;

/** Stages that the results of micro-batches tell of; 0 where none is here. */
function stagesOf(batches: usize, batchCount: u32): u32 {
  for (let index: u32 = 0; index < batchCount; index++) {
    const result = batchAt(batches, index).result;
    if (result != 0) return load<u32>(result + traceCountAt);
  }
  return 0;
}

/** Writes so many traces, each of a stage over all micro-batches whose results are here. */
function sumTraces(batches: usize, batchCount: u32, stages: u32, out: usize): void {
  memory.fill(out, 0, stages * stageTraceBytes);
  for (let index: u32 = 0; index < batchCount; index++) {
    const result = batchAt(batches, index).result;
    if (result == 0) continue;
    for (let at: u32 = 0; at < stages * stageTraceBytes; at += stageTraceBytes) {
      const trace = result + traceCountAt + countBytes + at;
      const sum = out + at;
      store<u64>(sum, load<u64>(sum) + load<u64>(trace));
      for (let field: u32 = 8; field < 20; field += 4) {
        store<u32>(sum + field, load<u32>(sum + field) + load<u32>(trace + field));
      }
      store<u32>(sum, max(load<u32>(sum, 20), load<u32>(trace, 20)), 20);
    }
  }
}

/**
 * What the micro-batches of a run have cost whose results are about to go: a count u32, and traces. 0 where
 * there are none, or no heap.
 */
export function costsOf(batches: usize, batchCount: u32): usize {
  const stages = stagesOf(batches, batchCount);
  const block: usize = stages == 0 ? 0 : alloc(countBytes + stages * stageTraceBytes);
  if (block == 0) return 0;
  store<u32>(block, stages);
  sumTraces(batches, batchCount, stages, block + countBytes);
  return block;
}
/** Bytes of a block of {@link costsOf}. */
export function costBytes(costs: usize): u32 {
  return costs == 0 ? 0 : countBytes + load<u32>(costs) * stageTraceBytes;
}

/** An `EndedRun` in a block, {@link endedLength} bytes; 0 where there is no heap. */
function compose(id: u64, end: u32, bytes: u64, textBytes: u32, stages: u32): usize {
  endedLength = endedRunBytes + textBytes + stages * stageTraceBytes;
  const block = alloc(endedLength);
  if (block == 0) return 0;
  memory.fill(block, 0, endedLength);
  store<u64>(block, id);
  store<u32>(block, end, 8);
  store<u32>(block, <u32>min<u64>(bytes, u32.MAX_VALUE), 12);
  store<u32>(block, textBytes, 20);
  store<u32>(block + fixedBytes + textBytes, stages);
  return block;
}
let endedLength: u32 = 0;

function composeRun(run: Run): usize {
  if (run.outcome == Outcome.failed) {
    const stages: u32 = run.costs == 0 ? 0 : load<u32>(run.costs);
    const block = compose(run.id, RunEnd.failed, 0, run.failureBytes, stages);
    if (block == 0) return 0;
    store<u32>(block, run.failedStage, 16);
    memory.copy(block + fixedBytes, run.failure, run.failureBytes);
    if (stages > 0) memory.copy(block + fixedBytes + run.failureBytes, run.costs, costBytes(run.costs));
    return block;
  }
  const end = run.outcome == Outcome.done ? RunEnd.done : RunEnd.cancelled;
  return composeDone(run.id, end, run.resultBytes, run.batches, run.batchCount);
}

function composeDone(id: u64, end: u32, bytes: u64, batches: usize, batchCount: u32): usize {
  const stages = stagesOf(batches, batchCount);
  const block = compose(id, end, bytes, 0, stages);
  if (block != 0) sumTraces(batches, batchCount, stages, block + endedRunBytes);
  return block;
}

function append(block: usize): void {
  if (block != 0) msg_reply_data_append(block, endedLength);
  release(block);
}

/** Tells how a run ended that is at the head; one that is not finished is taken back. */
export function appendEnded(run: Run): void {
  append(composeRun(run));
}
/** Tells of a run whose whole result is kept here by the last stage. */
export function appendEndedKept(id: u64, bytes: u64, batches: usize, batchCount: u32): void {
  append(composeDone(id, RunEnd.done, bytes, batches, batchCount));
}
/** Says that nothing is known here of a run. */
export function appendUnknown(id: u64): void {
  append(compose(id, RunEnd.unknown, 0, 0, 0));
}

/** The coordinator is to hear how this run ended, which nobody has released. */
export function noteEnded(run: Run): void {
  note(composeRun(run));
}
/** As {@link noteEnded}, of a result that the last stage has kept. */
export function noteEndedKept(id: u64, bytes: u64, batches: usize, batchCount: u32): void {
  note(composeDone(id, RunEnd.done, bytes, batches, batchCount));
}

/** Where more end than there is room for, the coordinator does not hear of the oldest. */
function note(block: usize): void {
  if (block == 0) return;
  if (untoldCount == mostUntold) {
    release(load<u32>(untold));
    untoldCount--;
    memory.copy(untold, untold + 8, untoldCount << 3);
  }
  store<u32>(untold + (untoldCount << 3), <u32>block);
  store<u32>(untold + (untoldCount << 3), endedLength, 4);
  untoldCount++;
}

/** Tells the coordinator of runs that ended unasked, at the end of an answer to it. */
export function appendUntold(): void {
  for (let i: u32 = 0; i < untoldCount; i++) {
    const block = load<u32>(untold + (i << 3));
    msg_reply_data_append(block, load<u32>(untold + (i << 3), 4));
    release(block);
  }
  untoldCount = 0;
}

export function saveUntold(): void {
  saveU32(untoldCount);
  for (let i: u32 = 0; i < untoldCount; i++) {
    const bytes = load<u32>(untold + (i << 3), 4);
    saveU32(bytes);
    saveBytes(load<u32>(untold + (i << 3)), bytes);
  }
}
export function restoreUntold(): void {
  untoldCount = min(restoreU32(), mostUntold);
  for (let i: u32 = 0; i < untoldCount; i++) {
    const bytes = restoreU32();
    store<u32>(untold + (i << 3), <u32>restoreBlock(bytes));
    store<u32>(untold + (i << 3), bytes, 4);
  }
}
