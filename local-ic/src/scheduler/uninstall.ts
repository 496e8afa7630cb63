import { ErrorCode, UserError } from '../errors.js';
import type { Canister } from '../state/index.js';
import { respond } from './answers.js';
import type { ExecutionContext } from './context.js';

/** Removes code, memories, data and logs; callers that still wait are rejected. */
export function uninstall(context: ExecutionContext, canister: Canister): void {
  canister.code = undefined;
  canister.certifiedData = new Uint8Array(0);
  canister.globalTimer = undefined;
  canister.lowWasmMemoryHook = 'condition_not_satisfied';
  canister.log.clear();
  canister.chunkStore.clear();
  canister.tasks.length = 0;
  for (const call of [...canister.callContexts.all()]) {
    if (!call.responded) {
      call.responded = true;
      const refund = call.availableCycles;
      call.availableCycles = 0n;
      const error = new UserError(ErrorCode.CanisterRejectedMessage, REASON);
      const answer =
        call.origin.kind === 'ingress'
          ? ({ kind: 'failure', error, ran: false } as const)
          : ({ kind: 'reject', message: REASON } as const);
      respond(context, canister, call.origin, answer, refund);
    }
    call.deleted = true;
    canister.callContexts.closeIfDone(call);
  }
}

const REASON = 'Canister has been uninstalled.';
