import { ErrorCode } from '../errors.js';
import { principalToText, sameId } from '../principal.js';
import { controlled, decodeArgs, originOf, replyUnit, type Method } from './call.js';
import { failure } from './errors.js';
import { canisterIdRecord, uninstallCodeArgs } from './types.js';

/** `start_canister` */
export const startCanister: Method = (context, call) => {
  const { canister_id } = decodeArgs(canisterIdRecord, call.arg);
  context.startCanister(controlled(context, canister_id, call.sender));
  return replyUnit();
};

/** `stop_canister`: answered once no call context is open, or after five minutes. */
export const stopCanister: Method = (context, call) => {
  const { canister_id } = decodeArgs(canisterIdRecord, call.arg);
  return context.stopCanister(controlled(context, canister_id, call.sender), call);
};

/** `uninstall_code` */
export const uninstallCode: Method = (context, call) => {
  const args = decodeArgs(uninstallCodeArgs, call.arg);
  const canister = controlled(context, args.canister_id, call.sender);
  context.uninstallCode(canister, originOf(call, args.sender_canister_version));
  return replyUnit();
};

/** `delete_canister`: only of a stopped canister, and never by itself. */
export const deleteCanister: Method = (context, call) => {
  const { canister_id } = decodeArgs(canisterIdRecord, call.arg);
  const id = principalToText(canister_id);
  if (sameId(canister_id, call.sender)) {
    throw failure(
      ErrorCode.CanisterInvalidController,
      `Canister ${id} cannot delete itself.`,
      'Delete the canister from one of its other controllers.',
      'delete-canister-self',
    );
  }
  const canister = controlled(context, canister_id, call.sender);
  if (canister.status.kind !== 'stopped') {
    throw failure(
      ErrorCode.CanisterNotStopped,
      `Canister ${id} must be stopped before it is deleted.`,
      'Stop the canister before deleting it.',
      'delete-canister-not-stopped',
    );
  }
  if (canister.queues.hasInput() || canister.queues.hasOutput()) {
    throw failure(
      ErrorCode.CanisterQueueNotEmpty,
      `Canister ${id} has messages in its queues and cannot be deleted now. Please retry after some time.`,
      'Wait until the queues have been cleared to delete the canister and in the meantime stop the canister.',
      'delete-canister-queue-not-empty',
    );
  }
  for (const key of canister.snapshotIds) context.subnet.snapshots.delete(key);
  context.deleteCanister(canister);
  return replyUnit();
};
