/** Results that the head keeps until they are fetched and released, the oldest first. */
import { maxKeptBytes, maxKeptResults } from '../pacing/limits';
import { callerKeeps, callerReleased, holdsMost, noCaller } from './callers';
import { Run, runAt, slotOf } from './run';

let keptFirst: u32 = 0;
let keptLast: u32 = 0;
let keptCount: u32 = 0;
let keptBytes: u64 = 0;

/** Slot + 1 of the oldest result kept, 0: none. */
export function keptFirstSlot(): u32 {
  return keptFirst;
}

/** Whether more is kept than may be; one result always may. */
export function keepsTooMuch(): bool {
  return keptCount > 1 && (keptCount > maxKeptResults || keptBytes > maxKeptBytes);
}

/**
 * Slot + 1 of the result that goes first: the oldest of the caller that holds most, but not the newest of
 * all while there is another. 0: none is kept.
 */
export function firstToGo(): u32 {
  const caller = holdsMost(keptBytes > maxKeptBytes);
  if (caller == noCaller) return 0;
  let at = keptFirst;
  while (runAt(at - 1).caller != caller) at = runAt(at - 1).keptNext;
  return at == keptLast ? keptFirst : at;
}

/** Adds a finished run to those whose results are kept, as the newest. */
export function addKept(run: Run): void {
  const slot = slotOf(run);
  run.keptNext = 0;
  if (keptLast == 0) keptFirst = slot + 1;
  else runAt(keptLast - 1).keptNext = slot + 1;
  keptLast = slot + 1;
  keptCount++;
  keptBytes += run.resultBytes;
  callerKeeps(run.caller, run.resultBytes);
}

/** Takes a run out of the results kept. */
export function removeKept(run: Run): void {
  const slot = slotOf(run);
  let before: u32 = 0;
  for (let at = keptFirst; at != slot + 1; at = runAt(at - 1).keptNext) before = at;
  if (before == 0) keptFirst = run.keptNext;
  else runAt(before - 1).keptNext = run.keptNext;
  if (run.keptNext == 0) keptLast = before;
  keptCount--;
  keptBytes -= run.resultBytes;
  callerReleased(run.caller, run.resultBytes);
}
