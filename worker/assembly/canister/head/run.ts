/** The runs that the head knows: one table, so that looking one up touches one page. */
import { alloc } from '../../tensor/memory';
import { numberMask } from '../ic/ids';

/** What came of a run. */
export namespace Outcome {
  export const none: u32 = 0;
  export const done: u32 = 1;
  export const failed: u32 = 2;
}

@unmanaged
export class Run {
  /** 0: the slot is free. */
  id: u64;
  /** When it is given up, nanoseconds. */
  deadline: u64;
  /** Bytes of the encoded result, once it is finished. */
  resultBytes: u64;
  /** When the call that waits last looked for the result, nanoseconds. */
  lookedAt: u64;
  /** `RunState` of `moves.ts`, which alone changes it. */
  state: u32;
  outcome: u32;
  mode: u32;
  /** Entry of its caller. */
  caller: u32;
  /** Slot + 1 of the caller's next run. */
  next: u32;
  /** 1 while it stands in its caller's line. */
  isInLine: u32;
  batchCount: u32;
  /** Micro-batches not launched, and those before the first of them are not among these. */
  batchesWaiting: u32;
  firstWaiting: u32;
  batchesDone: u32;
  /** Its micro-batches in tasks under way, and those of them whose task is at the head itself. */
  partsOut: u32;
  partsAtHead: u32;
  /** Argument of `enqueue`; 0 once no task needs it. */
  input: usize;
  inputBytes: u32;
  /** `batchCount` entries of {@link Batch}. */
  batches: usize;
  failedStage: u32;
  /** `[code] text` */
  failure: usize;
  failureBytes: u32;
  /** Of a run that failed, what those of its micro-batches cost that were done; see `costsOf`. */
  costs: usize;
  /** Slot + 1 of the result kept next after this one. */
  keptNext: u32;
  /** In how many rounds the call that waits has looked for the result. */
  looks: u32;
}

export namespace BatchState {
  export const waiting: u32 = 0;
  export const out: u32 = 1;
  export const done: u32 = 2;
}

/** Rows of a run that stay together: one micro-batch. */
@unmanaged
export class Batch {
  /** Where its bundle lies in the run's input. */
  offset: u32;
  length: u32;
  /** Rows; 0 where it cannot be put together with others. */
  rows: u32;
  state: u32;
  /** 1 where it goes in a task of its own, because a task it shared has failed. */
  isAlone: u32;
  /** The `PartResult` that brought its result; 0 until then. */
  result: usize;
  resultBytes: u32;
  /** Length of the bundle in the result. */
  bundleBytes: u32;
}

export const slots: u32 = 2048;
const slotBytes: usize = 128;
/** Only the head has the table. */
let table: usize = 0;
export const batchBytes: usize = offsetof<Batch>();

/** Makes the table where there is none; false where there is no heap for it. */
export function makeRunTable(): bool {
  if (table != 0) return true;
  const bytes = <usize>slots * slotBytes;
  table = alloc(bytes);
  if (table == 0) return false;
  memory.fill(table, 0, bytes);
  return true;
}
export function hasRunTable(): bool {
  return table != 0;
}

export function runAt(slot: u32): Run {
  return changetype<Run>(table + <usize>slot * slotBytes);
}
export function slotOf(run: Run): u32 {
  return <u32>((changetype<usize>(run) - table) / slotBytes);
}
export function batchOf(run: Run, index: u32): Batch {
  return batchAt(run.batches, index);
}
/** An entry of a block of them. */
export function batchAt(batches: usize, index: u32): Batch {
  return changetype<Batch>(batches + <usize>index * batchBytes);
}
export function nextOf(slot: u32): u32 {
  return runAt(slot).next;
}
export function setNext(slot: u32, next: u32): void {
  runAt(slot).next = next;
}

/** Address of the run with this id, 0 where there is none. */
export function findRun(id: u64): usize {
  if (table == 0) return 0;
  const run = runAt(<u32>(id % slots));
  return id != 0 && run.id == id ? changetype<usize>(run) : 0;
}

/** Address of the run whose id ends with these 28 bits, 0 where there is none. */
export function findByNumber(number: u32): usize {
  if (table == 0) return 0;
  const run = runAt(number % slots);
  return run.id != 0 && <u32>run.id == ((<u32>run.id) & ~numberMask) + number
    ? changetype<usize>(run)
    : 0;
}

/** The next id, at or after `id`, whose slot is free; 0 when no slot is. */
export function freeId(id: u64): u64 {
  for (let tries: u32 = 0; tries < slots; tries++) {
    if (runAt(<u32>((id + tries) % slots)).id == 0) return id + tries;
  }
  return 0;
}

/** Empties a slot. */
export function clearRun(run: Run): void {
  memory.fill(changetype<usize>(run), 0, slotBytes);
}
