import { profileOf } from '../costs/index.js';
import { ErrorCode, UserError } from '../errors.js';
import { sameId } from '../principal.js';
import type {
  Canister,
  ChangeOrigin,
  ManagementCall,
  ManagementContext,
  ManagementOutcome,
  Visibility,
} from '../state/index.js';
import { CandidError, decode, encode, encodedUnit, type Type } from './candid/index.js';
import { canisterNotFound, invalidPayload, notController } from './errors.js';

/** Executes one method. Throws UserError for what the caller did wrong. */
export type Method = (context: ManagementContext, call: ManagementCall) => ManagementOutcome;

/** Decodes a payload. Throws UserError with the replica's text. */
export function decodeArgs<T>(type: Type<T>, payload: Uint8Array): T {
  try {
    return decode(type, payload);
  } catch (error) {
    if (!(error instanceof CandidError)) throw error;
    throw invalidPayload(`Error decoding candid: ${error.message}`);
  }
}

export function reply<T>(
  type: Type<T>,
  value: T,
  more: { cyclesUsed?: bigint; instructions?: number } = {},
): ManagementOutcome {
  return { kind: 'reply', data: encode(type, value), ...more };
}

export function replyUnit(more: { instructions?: number } = {}): ManagementOutcome {
  return { kind: 'reply', data: encodedUnit, ...more };
}

/** A canister of this subnet. Throws UserError. */
export function existing(context: ManagementContext, id: Uint8Array): Canister {
  const canister = context.subnet.canister(id);
  if (canister === undefined) throw canisterNotFound(id);
  return canister;
}

/** A canister that the caller controls. Throws UserError. */
export function controlled(
  context: ManagementContext,
  id: Uint8Array,
  sender: Uint8Array,
): Canister {
  const canister = existing(context, id);
  if (!canister.isController(sender)) throw notController(canister, sender);
  return canister;
}

/** A canister that the caller controls or is itself. Throws UserError. */
export function controlledOrSelf(
  context: ManagementContext,
  id: Uint8Array,
  sender: Uint8Array,
): Canister {
  return sameId(id, sender) ? existing(context, id) : controlled(context, id, sender);
}

/** Whether something of a canister may be seen; its controllers always see it. */
export function isVisibleTo(
  canister: Canister,
  visibility: Visibility,
  viewer: Uint8Array,
): boolean {
  if (visibility.kind === 'public' || canister.isController(viewer)) return true;
  return (
    visibility.kind === 'allowed_viewers' &&
    visibility.viewers.some((allowed) => sameId(allowed, viewer))
  );
}

/** A canister whose snapshots the caller may read. Throws UserError. */
export function withReadableSnapshots(
  context: ManagementContext,
  id: Uint8Array,
  sender: Uint8Array,
): Canister {
  const canister = existing(context, id);
  if (isVisibleTo(canister, canister.settings.snapshotVisibility, sender)) return canister;
  throw notController(canister, sender);
}

/** Whether the management interface has what came in 2026. */
export function isInterface2026({ schedule }: Pick<ManagementContext, 'schedule'>): boolean {
  return profileOf(schedule).interface === '2026';
}

/** Who makes a change, for the canister's history. */
export function originOf(call: ManagementCall, canisterVersion: bigint | undefined): ChangeOrigin {
  return call.message.kind === 'ingress'
    ? { kind: 'from_user', userId: call.sender }
    : { kind: 'from_canister', canisterId: call.sender, canisterVersion };
}

/** Changes the text of a failure that `action` runs into. */
export function withFailure<T>(action: () => T, rename: (error: UserError) => UserError): T {
  try {
    return action();
  } catch (error) {
    throw error instanceof UserError ? rename(error) : error;
  }
}

/** Rejects while the canister is executing a long message or installation. */
export function refuseWhilePaused(canister: Canister, text: string): void {
  if (canister.paused !== undefined) throw new UserError(ErrorCode.CanisterRejectedMessage, text);
}
