/**
 * Where results stay at the last stage: runs that failed or were released while tasks of theirs
 * were on the way. The head names them in its answer to the next `done`, and the last stage forgets
 * what it has of them. What is not named in time is pushed out there by later results.
 */
import { restoreBytes, restoreU32, saveBytes, saveU32 } from '../../store/saved';
import { resultsStay } from '../setup/config';
import { msg_reply_data_append } from '../ic/ic0';

const mostIds: u32 = 512;
const ids = memory.data(4096, 8);
let count: u32 = 0;

/** Nobody will fetch the result of this run. */
export function noteReleased(id: u64): void {
  if (!resultsStay || count == mostIds) return;
  if (count > 0 && load<u64>(ids + <usize>(count - 1) * 8) == id) return;
  store<u64>(ids + <usize>count * 8, id);
  count++;
}

/** Adds the ids to the reply; they are named once. */
export function appendReleased(): void {
  msg_reply_data_append(ids, <usize>count * 8);
  count = 0;
}

export function saveReleased(): void {
  saveU32(count);
  saveBytes(ids, count * 8);
}
export function restoreReleased(): void {
  count = min(restoreU32(), mostIds);
  restoreBytes(ids, count * 8);
}
