import type { Canister } from '../state/index.js';

/** What a canister would execute next. */
export type NextExecution = 'none' | 'startNew' | 'continueLong' | 'continueInstallCode';

/** What a canister would execute next: a long execution first, then tasks, then messages. */
export function nextExecution(canister: Canister): NextExecution {
  if (canister.paused)
    return canister.paused.kind === 'message' ? 'continueLong' : 'continueInstallCode';
  if (canister.lowWasmMemoryHook === 'ready' || canister.tasks.length > 0) return 'startNew';
  return canister.queues.hasInput() ? 'startNew' : 'none';
}

/** Whether a long message is paused or aborted (not an installation). */
export function hasLongMessage(canister: Canister): boolean {
  return canister.paused?.kind === 'message';
}
