/** Tasks that nobody waits for any more: the next list that goes to later stages names them. */
import { restoreBytes, restoreU32, saveBytes, saveU32 } from '../../store/saved';

export const mostCancelled: u32 = 512;
const ids = memory.data(4096, 8);
let count: u32 = 0;

/** Nobody waits for this task. What is noted beyond the room for ids is worked on for nothing. */
export function noteCancelled(taskId: u64): void {
  if (count == mostCancelled) return;
  store<u64>(ids + ((<usize>count) << 3), taskId);
  count++;
}

export function cancelledCount(): u32 {
  return count;
}
/** Ids, u64 each, of {@link cancelledCount} tasks. */
export function cancelledIds(): usize {
  return ids;
}
export function clearCancelled(): void {
  count = 0;
}

export function saveCancelled(): void {
  saveU32(count);
  saveBytes(ids, count << 3);
}
export function restoreCancelled(): void {
  count = min(restoreU32(), mostCancelled);
  restoreBytes(ids, count << 3);
}
