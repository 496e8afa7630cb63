/** The tasks under way: whose rows each carries, and whether there is news of it. */
import {
  maxPartsOfTask,
  principalFieldBytes,
  taskPartBytes,
} from '../../generated/constants';
import { alloc, release } from '../../tensor/memory';
import { beyondTime } from '../ic/ids';
import { maxBatches } from '../pacing/limits';
import { resultsStay } from '../setup/config';

@unmanaged
export class Task {
  id: u64;
  /** Table of parts as messages carry it, {@link partBytes} each. */
  parts: usize;
  partCount: u32;
  /** Parts not reported whose runs still want them. */
  partsLeft: u32;
  rows: u32;
  isUrgent: u32;
  /** 1 until the head has done its part of the task. */
  isAtHead: u32;
  /** Looks in a row without news of it. */
  silentLooks: u32;
  /** Its neighbours in the list of all. */
  next: usize;
  before: usize;
}

/** An entry of the table of parts; its owner follows where results stay. */
@unmanaged
export class Part {
  runId: u64;
  index: u32;
  count: u32;
  rows: u32;
  /** At the head: 1 once it was reported, or its run wants it no more. */
  isOver: u32;
}

/** Bytes of an entry of a table of parts. */
export function partBytes(): u32 {
  return taskPartBytes + (resultsStay ? principalFieldBytes : 0);
}
export function partAt(parts: usize, index: u32): Part {
  return changetype<Part>(parts + <usize>index * partBytes());
}
/** Where the owner of a part lies, where results stay. */
export function ownerOf(part: Part): usize {
  return changetype<usize>(part) + taskPartBytes;
}

const slots: u32 = 2 * maxBatches;
/** Addresses of tasks by their ids; only the head has the table. */
let table: usize = 0;
let first: usize = 0;
/** Tasks launched and not over. */
export let tasksUnderWay: u32 = 0;
/** The id the next task gets. */
export let nextTaskId: u64 = 1;

/** Bytes of the table. */
export const taskTableBytes: usize = (<usize>slots) << 2;
export function hasTaskTable(): bool {
  return table != 0;
}
/** Makes the table in zeros at `at`. */
export function placeTaskTable(at: usize): void {
  table = at;
}

export function startTaskIds(id: u64): void {
  nextTaskId = id;
}

function slotAt(id: u64): usize {
  return table + (<usize>(id % slots) << 2);
}

/** Address of the task with this id, 0 where there is none. */
export function findTask(id: u64): usize {
  if (table == 0) return 0;
  const address = <usize>load<u32>(slotAt(id));
  return address != 0 && changetype<Task>(address).id == id ? address : 0;
}
export function firstTask(): usize {
  return first;
}

/** A new task with room for so many parts, which are zeros; 0 where there is no heap. */
export function newTask(partCount: u32): usize {
  const bytes = offsetof<Task>() + <usize>partCount * partBytes();
  const address = alloc(bytes);
  if (address == 0) return 0;
  memory.fill(address, 0, bytes);
  const task = changetype<Task>(address);
  nextTaskId = beyondTime(nextTaskId, slots);
  while (load<u32>(slotAt(nextTaskId)) != 0) nextTaskId++;
  task.id = nextTaskId++;
  task.partCount = partCount;
  task.partsLeft = partCount;
  addTask(task);
  return address;
}

/** Adds a task that has its id. */
export function addTask(task: Task): void {
  task.parts = changetype<usize>(task) + offsetof<Task>();
  store<u32>(slotAt(task.id), <u32>changetype<usize>(task));
  task.before = 0;
  task.next = first;
  if (first != 0) changetype<Task>(first).before = changetype<usize>(task);
  first = changetype<usize>(task);
  tasksUnderWay++;
}

/** Forgets a task that is over. */
export function forgetTask(task: Task): void {
  const address = changetype<usize>(task);
  store<u32>(slotAt(task.id), 0);
  if (task.before == 0) first = task.next;
  else changetype<Task>(task.before).next = task.next;
  if (task.next != 0) changetype<Task>(task.next).before = task.before;
  tasksUnderWay--;
  release(address);
}

/** There is news of a task. */
export function noteNews(id: u64): void {
  const address = findTask(id);
  if (address != 0) changetype<Task>(address).silentLooks = 0;
}

/** Most parts of one task. */
export const mostParts: u32 = maxPartsOfTask;
