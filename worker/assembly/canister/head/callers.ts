/**
 * Whose turn it is. Callers with tasks to launch stand in a ring; each gives one task, then goes to
 * its end. The runs of one caller go in order.
 */
import { alloc } from '../../tensor/memory';
import { nextOf, setNext } from './run';

@unmanaged
class Caller {
  key: u64;
  /** Runs not finished; the entry is free at 0 once it has left the ring. */
  unfinished: u32;
  /** Slots + 1 of the first and last run with tasks to launch; 0: none. */
  first: u32;
  last: u32;
  inRing: u32;
  /** Entry + 1 of the next in the ring. */
  next: u32;
  unused: u32;
}

/** Callers known at a time; a further one is told to come later. */
const capacity: u32 = 1024;
/** Only the head has the table. */
let table: usize = 0;
/** Entries below this one have been used. */
let used: u32 = 0;
let ringFirst: u32 = 0;
let ringLast: u32 = 0;

/** No such entry. */
export const noCaller: u32 = 0xffffffff;

/** Makes the table where there is none; false where there is no heap for it. */
export function makeCallerTable(): bool {
  if (table != 0) return true;
  const bytes = (<usize>capacity) << 5;
  table = alloc(bytes);
  if (table == 0) return false;
  memory.fill(table, 0, bytes);
  return true;
}

function caller(index: u32): Caller {
  return changetype<Caller>(table + ((<usize>index) << 5));
}

function isFree(entry: Caller): bool {
  return entry.unfinished == 0 && entry.inRing == 0;
}

/** Entry of the caller with this key, a new one if need be; {@link noCaller} when there are too many. */
export function callerOf(key: u64): u32 {
  let free = noCaller;
  for (let index: u32 = 0; index < used; index++) {
    const entry = caller(index);
    if (isFree(entry)) {
      if (free == noCaller) free = index;
    } else if (entry.key == key) {
      return index;
    }
  }
  if (free == noCaller && used < capacity) free = used++;
  if (free != noCaller) caller(free).key = key;
  return free;
}

export function unfinishedOf(index: u32): u32 {
  return caller(index).unfinished;
}

function enterRing(index: u32): void {
  const entry = caller(index);
  entry.inRing = 1;
  entry.next = 0;
  if (ringLast == 0) ringFirst = index + 1;
  else caller(ringLast - 1).next = index + 1;
  ringLast = index + 1;
}

/** Adds a run, by its slot, behind the others of this caller. */
export function addToCaller(index: u32, slot: u32): void {
  const entry = caller(index);
  setNext(slot, 0);
  if (entry.last == 0) entry.first = slot + 1;
  else setNext(entry.last - 1, slot + 1);
  entry.last = slot + 1;
  if (entry.inRing == 0) enterRing(index);
}

/** A run of this caller was admitted. */
export function callerBegan(index: u32): void {
  caller(index).unfinished++;
}
/** A run of this caller was finished. */
export function callerFinished(index: u32): void {
  caller(index).unfinished--;
}

/** Takes a run out of its caller's line; nothing where it is not in it. */
export function removeFromCaller(index: u32, slot: u32): void {
  const entry = caller(index);
  let before: u32 = 0;
  for (let at = entry.first; at != 0; before = at, at = nextOf(at - 1)) {
    if (at != slot + 1) continue;
    const next = nextOf(slot);
    if (before == 0) entry.first = next;
    else setNext(before - 1, next);
    if (next == 0) entry.last = before;
    return;
  }
}

/** Slot + 1 of the run whose task is next; its caller goes to the end of the ring. 0: none. */
export function takeTurn(): u32 {
  while (ringFirst != 0) {
    const index = ringFirst - 1;
    const entry = caller(index);
    ringFirst = entry.next;
    if (ringFirst == 0) ringLast = 0;
    entry.inRing = 0;
    if (entry.first == 0) continue;
    enterRing(index);
    return entry.first;
  }
  return 0;
}
