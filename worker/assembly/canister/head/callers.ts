/**
 * Callers, by principal, and whose turn it is. Callers with tasks to launch stand in a ring; each gives
 * one task, then goes to its end. The runs of one caller go in order. What a caller holds is counted, so
 * that limits count for each.
 */
import { principalFieldBytes } from '../../generated/constants';
import { alloc } from '../../tensor/memory';
import { nextOf, setNext } from './run';

@unmanaged
class Caller {
  /** Principal: length byte, then up to 29 bytes, then zeros. */
  principal0: u64;
  principal1: u64;
  principal2: u64;
  principal3: u64;
  /** Bytes of results that are kept for it. */
  keptBytes: u64;
  /** Runs and results it holds; the entry is free at 0 once it has left the ring. */
  holds: u32;
  /** Runs not finished. */
  unfinished: u32;
  /** Results that are kept for it. */
  kept: u32;
  /** Slots + 1 of the first and last run with tasks to launch; 0: none. */
  first: u32;
  last: u32;
  inRing: u32;
  /** Entry + 1 of the next in the ring. */
  next: u32;
}

/** As many as there can be runs, so that there is room for the caller of each. */
const capacity: u32 = 2048;
const entryBytes: usize = 80;
/** The head has the table, and a last stage that keeps results. */
let table: usize = 0;
/** Entries below this one have been used. */
let used: u32 = 0;
let ringFirst: u32 = 0;
let ringLast: u32 = 0;

/** No such entry. */
export const noCaller: u32 = 0xffffffff;

/** Bytes of the table. */
export const callerTableBytes: usize = 2048 * 80;
export function hasCallerTable(): bool {
  return table != 0;
}
/** Makes the table in zeros at `at`. */
export function placeCallerTable(at: usize): void {
  table = at;
}

/** Makes the table where there is none; false where there is no heap for it. */
export function makeCallerTable(): bool {
  if (table != 0) return true;
  const at = alloc(callerTableBytes);
  if (at == 0) return false;
  memory.fill(at, 0, callerTableBytes);
  placeCallerTable(at);
  return true;
}

function caller(index: u32): Caller {
  return changetype<Caller>(table + <usize>index * entryBytes);
}

function isFree(entry: Caller): bool {
  return entry.holds == 0 && entry.inRing == 0;
}

function isOf(entry: Caller, principal: usize): bool {
  return (
    entry.principal0 == load<u64>(principal) &&
    entry.principal1 == load<u64>(principal, 8) &&
    entry.principal2 == load<u64>(principal, 16) &&
    entry.principal3 == load<u64>(principal, 24)
  );
}

/**
 * Entry of the caller with this principal, a length byte and 31 bytes of which the last are zeros; a new
 * one if need be. {@link noCaller} where there are too many.
 */
export function callerOf(principal: usize): u32 {
  let free = noCaller;
  for (let index: u32 = 0; index < used; index++) {
    const entry = caller(index);
    if (isFree(entry)) {
      if (free == noCaller) free = index;
    } else if (isOf(entry, principal)) {
      return index;
    }
  }
  if (free == noCaller && used < capacity) free = used++;
  if (free == noCaller) return free;
  memory.fill(changetype<usize>(caller(free)), 0, entryBytes);
  memory.copy(changetype<usize>(caller(free)), principal, principalFieldBytes);
  return free;
}

/** Address of a caller's principal, as {@link callerOf} takes it. */
export function principalOf(index: u32): usize {
  return changetype<usize>(caller(index));
}

export function unfinishedOf(index: u32): u32 {
  return caller(index).unfinished;
}

/** The caller has a run or a result more. */
export function callerHolds(index: u32): void {
  caller(index).holds++;
}
/** It has one less. */
export function callerDropped(index: u32): void {
  caller(index).holds--;
}

/** A result of so many bytes is kept for the caller. */
export function callerKeeps(index: u32, bytes: u64): void {
  caller(index).kept++;
  caller(index).keptBytes += bytes;
}
/** A result that is kept for the caller has grown by so many bytes, or become smaller. */
export function callerKeepsMore(index: u32, bytes: i64): void {
  caller(index).keptBytes += bytes;
}
/** It is kept no longer. */
export function callerReleased(index: u32, bytes: u64): void {
  caller(index).kept--;
  caller(index).keptBytes -= bytes;
}

/** The caller that most results are kept for, or most bytes of results; {@link noCaller} where none are. */
export function holdsMost(byBytes: bool): u32 {
  let found = noCaller;
  let most: u64 = 0;
  for (let index: u32 = 0; index < used; index++) {
    const entry = caller(index);
    const has = byBytes ? entry.keptBytes : <u64>entry.kept;
    if (entry.kept == 0 || has <= most) continue;
    most = has;
    found = index;
  }
  return found;
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

/** Adds a run, by its slot, before the others of this caller. */
export function addFirstToCaller(index: u32, slot: u32): void {
  const entry = caller(index);
  setNext(slot, entry.first);
  entry.first = slot + 1;
  if (entry.last == 0) entry.last = slot + 1;
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

/** Takes callers out of the ring that have nothing to launch any more. */
function dropIdle(): void {
  while (ringFirst != 0 && caller(ringFirst - 1).first == 0) leaveRing();
}

function leaveRing(): u32 {
  const index = ringFirst - 1;
  const entry = caller(index);
  ringFirst = entry.next;
  if (ringFirst == 0) ringLast = 0;
  entry.inRing = 0;
  return index;
}

/** Slot + 1 of the run whose turn it is. 0: none. */
export function peekTurn(): u32 {
  dropIdle();
  return ringFirst == 0 ? 0 : caller(ringFirst - 1).first;
}

/** The caller whose turn it is has had it, and goes to the end of the ring. */
export function takeTurn(): void {
  enterRing(leaveRing());
}
