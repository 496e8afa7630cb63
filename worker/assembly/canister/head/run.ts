/** The runs that the head knows: one table, so that looking one up touches one page. */
import { alloc } from '../../tensor/memory';
import { numberMask } from '../ic/ids';

export namespace RunState {
  export const active: u32 = 0;
  export const done: u32 = 1;
  export const failed: u32 = 2;
}

@unmanaged
export class Run {
  /** 0: the slot is free. */
  id: u64;
  /** When a task of it was last launched or reported, nanoseconds. */
  lastNews: u64;
  /** Bytes of the encoded result, once it is finished. */
  resultBytes: u64;
  state: u32;
  mode: u32;
  /** Entry of its caller. */
  caller: u32;
  /** Slot + 1 of the caller's next run. */
  next: u32;
  taskCount: u32;
  tasksLaunched: u32;
  tasksDone: u32;
  /** Tasks launched and not yet reported. */
  underWay: u32;
  /** 1 while a call waits for the result. */
  isOpen: u32;
  /** 1 when nobody wants the result: the slot is free once no task is under way. */
  isForgotten: u32;
  /** Argument of `enqueue`; 0 once no task needs it. */
  input: usize;
  inputBytes: u32;
  /** `taskCount` entries of {@link TaskEntry}. */
  tasks: usize;
  failedStage: u32;
  /** `[code] text` */
  failure: usize;
  failureBytes: u32;
  /** Slot + 1 of the result kept next after this one. */
  keptNext: u32;
  isKept: u32;
  /** How often the call that waits has looked for the result. */
  looks: u32;
  /** 1 while the head itself works on one of its tasks. */
  isAtHead: u32;
}

/** One micro-batch of a run. */
@unmanaged
export class TaskEntry {
  /** Where its bundle lies in the run's input. */
  offset: u32;
  length: u32;
  /** The `Task` message that brought its result; 0 until then. */
  result: usize;
  resultBytes: u32;
  /** Length of the bundle in the result. */
  bundleBytes: u32;
  isReported: u32;
}

export const slots: u32 = 2048;
const slotBytes: usize = 128;
/** Only the head has the table. */
let table: usize = 0;
export const taskEntryBytes: usize = offsetof<TaskEntry>();

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
export function taskOf(run: Run, index: u32): TaskEntry {
  return taskAt(run.tasks, index);
}
/** An entry of a block of them. */
export function taskAt(tasks: usize, index: u32): TaskEntry {
  return changetype<TaskEntry>(tasks + <usize>index * taskEntryBytes);
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
