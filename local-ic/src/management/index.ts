import { ErrorCode, UserError } from '../errors.js';
import type {
  ManagementCall,
  ManagementContext,
  ManagementIngress,
  ManagementOutcome,
  ManagementRoom,
} from '../state/index.js';
import { resolveDestination } from './destination.js';
import { checkManagementIngress } from './ingress.js';
import { methods } from './methods.js';
import { chargeDelayedIngress } from './settings.js';
import { isInterface2026 } from './call.js';
import { notSubnetAdmin } from './errors.js';
import { logsReply, metricsReply, statusReply } from './status.js';

/**
 * Executes a call of the management canister in a round. Bad input is rejected, never thrown.
 */
export function executeManagementCall(
  context: ManagementContext,
  call: ManagementCall,
): ManagementOutcome {
  const outcome = execute(context, call);
  chargeDelayedIngress(context, call);
  return outcome;
}

function execute(context: ManagementContext, call: ManagementCall): ManagementOutcome {
  try {
    const entry = methods.get(call.method);
    if (entry === undefined || (entry.since2026 && !isInterface2026(context))) {
      throw new UserError(
        ErrorCode.CanisterMethodNotFound,
        `Management canister has no method '${call.method}'`,
      );
    }
    if (call.method === 'fetch_canister_logs') {
      throw new UserError(
        ErrorCode.CanisterRejectedMessage,
        'fetch_canister_logs API is only accessible to end users in non-replicated mode',
      );
    }
    return entry.execute(context, call);
  } catch (error) {
    if (error instanceof UserError) return { kind: 'reject', error };
    throw error;
  }
}

/** Answers a query call to the management canister with Candid bytes. Throws UserError. */
export function executeManagementQuery(
  context: ManagementContext,
  query: ManagementIngress,
): Uint8Array {
  if (query.method === 'fetch_canister_logs') return logsReply(context, query.sender, query.arg);
  if (query.method === 'canister_status') return statusReply(context, query.sender, query.arg);
  if (isInterface2026(context)) {
    if (query.method === 'canister_metrics') return metricsReply(context, query.sender, query.arg);
    if (query.method === 'list_canisters') throw notSubnetAdmin(query.sender);
  }
  throw new UserError(ErrorCode.CanisterMethodNotFound, `Query method ${query.method} not found.`);
}

export { DestinationError } from './destination.js';
export { answerHttpOutcall, type HttpAnswer } from './http-outcalls.js';
export { environmentVariablesHash } from './creation.js';
export { checkManagementIngress, resolveDestination };

/** The whole room, as the engine uses it. */
export const managementRoom: ManagementRoom = {
  executeManagementCall,
  executeManagementQuery,
  checkManagementIngress,
  resolveDestination,
};
