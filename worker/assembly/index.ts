/**
 * The worker canister. `scripts/canister-module.mjs` renames these exports: `update_x` becomes
 * `canister_update x`, `query_x` becomes `canister_query x`.
 */
import { rejectIndex, replyIndex } from './canister/callbacks';
import { limitHeap } from './canister/heap';
import { failSilent } from './canister/requests';
import { silenceSeconds } from './canister/limits';
import { runTimerWithin, timerRan } from './canister/timer';
import { sendWaiting } from './canister/outbox';
import { schedule } from './canister/pace';
import { beginLife, restoreState, saveState } from './canister/upgrade';

export { callback_reject, callback_reply } from './canister/callbacks';
export {
  chunks as query_chunks,
  configure as update_configure,
  loadShard as update_load,
  putChunk as update_put_chunk,
  tellStatus as query_status,
} from './canister/upload';
export {
  done as update_done,
  enqueue as update_enqueue,
  failed as update_fail,
} from './canister/head';
export { fetch as query_fetch, releaseRequests as update_release } from './canister/fetch';
export { run as update_run, stepOn as update_step, wake as update_wake } from './canister/stage';

export function init(): void {
  limitHeap();
  beginLife();
}

export function pre_upgrade(): void {
  saveState();
}

export function post_upgrade(): void {
  limitHeap();
  restoreState();
}

/** Sends again what was refused, watches for lost tasks, and goes on with the work. */
export function global_timer(): void {
  timerRan();
  sendWaiting();
  if (failSilent()) runTimerWithin(silenceSeconds);
  schedule();
}
