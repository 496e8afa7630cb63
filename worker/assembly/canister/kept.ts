/** Results that the head keeps until they are fetched and released, the oldest first. */
import { maxKeptBytes, maxKeptResults } from './limits';
import { Request, requestAt, slotOf } from './request';

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

/** Adds a finished request to those whose results are kept, as the newest. */
export function addKept(request: Request): void {
  const slot = slotOf(request);
  request.isKept = 1;
  request.keptNext = 0;
  if (keptLast == 0) keptFirst = slot + 1;
  else requestAt(keptLast - 1).keptNext = slot + 1;
  keptLast = slot + 1;
  keptCount++;
  keptBytes += request.resultBytes;
}

/** Takes a request out of the results kept; nothing where it is none. */
export function removeKept(request: Request): void {
  if (request.isKept == 0) return;
  const slot = slotOf(request);
  let before: u32 = 0;
  for (let at = keptFirst; at != slot + 1; at = requestAt(at - 1).keptNext) before = at;
  if (before == 0) keptFirst = request.keptNext;
  else requestAt(before - 1).keptNext = request.keptNext;
  if (request.keptNext == 0) keptLast = before;
  request.isKept = 0;
  keptCount--;
  keptBytes -= request.resultBytes;
}
