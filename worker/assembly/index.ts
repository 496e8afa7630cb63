/**
 * The worker canister. `scripts/canister-module.mjs` renames these exports: `update_x` becomes
 * `canister_update x`, `query_x` becomes `canister_query x`.
 */
import { rejectIndex, replyIndex } from './canister/methods/callbacks';
import { inspectMessage } from './canister/methods/inspect';
import { timerFired } from './canister/methods/watch';
import { beginLife, restoreState, saveState } from './canister/methods/upgrade';
import { limitHeap } from './canister/setup/heap';

export { callback_reject, callback_reply } from './canister/methods/callbacks';
export {
  chunks as query_chunks,
  configure as update_configure,
  loadShard as update_load,
  putChunk as update_put_chunk,
  tellStatus as query_status,
} from './canister/methods/setup';
export {
  done as update_done,
  enqueue as update_enqueue,
  failed as update_fail,
  news as update_news,
} from './canister/methods/head';
export {
  fetch as query_fetch,
  held as query_held,
  releaseRuns as update_release,
} from './canister/methods/results';
export {
  run as update_run,
  stepOn as update_step,
  wake as update_wake,
} from './canister/methods/stage';

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

export function global_timer(): void {
  timerFired();
}

export function inspect_message(): void {
  inspectMessage();
}
