import { ErrorCode, IcError, UserError } from '../errors.js';
import { principalToText } from '../principal.js';
import type { Canister, ManagementContext, ManagementIngress } from '../state/index.js';
import { decodeArgs, isInterface2026, isVisibleTo } from './call.js';
import { invalidPayload } from './errors.js';
import { methods, type MethodEntry } from './methods.js';
import { checkControllerCount, MAX_DELAYED_INGRESS_COST_PAYLOAD_SIZE } from './settings.js';
import { provisionalCreateArgs, updateSettingsArgs } from './types.js';

/** See ManagementRoom.checkManagementIngress. */
export function checkManagementIngress(
  context: ManagementContext,
  ingress: ManagementIngress,
): Canister | undefined {
  const { method, arg, sender } = ingress;
  const entry = methods.get(method);
  if (entry === undefined || (entry.since2026 && !isInterface2026(context))) {
    throw new UserError(
      ErrorCode.CanisterMethodNotFound,
      `ic00 interface does not expose method ${method}`,
    );
  }
  if (entry.ingress === 'never') {
    throw new UserError(
      ErrorCode.CanisterRejectedMessage,
      `ic00 method ${method} can not be called via ingress messages`,
    );
  }
  if (entry.ingress === 'anyone') {
    checkProvisional(method, arg);
    return undefined;
  }
  const target = targetOf(entry, method, arg);
  const canister = context.subnet.canister(target);
  if (entry.ingress === 'canistersOnly') {
    throw new UserError(
      ErrorCode.CanisterRejectedMessage,
      `Only canisters can call ic00 method ${method}`,
    );
  }
  const id = principalToText(target);
  if (canister === undefined) {
    throw new UserError(ErrorCode.CanisterNotFound, `Canister ${id} not found`);
  }
  const visibility = entry.visibility && canister.settings[entry.visibility];
  const allowed = visibility
    ? isVisibleTo(canister, visibility, sender)
    : canister.isController(sender);
  if (!allowed) {
    throw new UserError(
      ErrorCode.CanisterInvalidController,
      `Only controllers of canister ${id} can call ic00 method ${method}`,
    );
  }
  return isPaidAfterwards(method, arg) ? undefined : canister;
}

/** Calls that nobody pays for are read before they are accepted. Throws IcError. */
function checkProvisional(method: string, arg: Uint8Array): void {
  if (method !== 'provisional_create_canister_with_cycles') return;
  try {
    checkControllerCount(decodeArgs(provisionalCreateArgs, arg).settings);
  } catch (error) {
    throw error instanceof UserError ? new IcError('BadIngressMessage', error.message) : error;
  }
}

/** `update_settings` with a short payload may unfreeze the canister that pays for it. */
export function isPaidAfterwards(method: string, arg: Uint8Array): boolean {
  return method === 'update_settings' && arg.length <= MAX_DELAYED_INGRESS_COST_PAYLOAD_SIZE;
}

function targetOf(entry: MethodEntry, method: string, arg: Uint8Array): Uint8Array {
  try {
    const args = decodeArgs(entry.args!, arg) as Record<string, Uint8Array>;
    if (method === 'update_settings') {
      checkControllerCount(decodeArgs(updateSettingsArgs, arg).settings);
    }
    return args[entry.target!]!;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw invalidPayload(
      `Failed to parse payload for ic00 method ${method}: ${error.codeText}: ${error.message}`,
    );
  }
}
