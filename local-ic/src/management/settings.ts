import { profileOf } from '../costs/index.js';
import { ErrorCode, UserError } from '../errors.js';
import { idKey } from '../principal.js';
import {
  freezingThreshold,
  totalMemory,
  type Canister,
  type CanisterSettings,
  type ChangeOrigin,
  type ManagementCall,
  type ManagementContext,
  type Visibility,
} from '../state/index.js';
import { isWasmMemoryLow } from '../system-api/memory-usage.js';
import {
  decodeArgs,
  controlled,
  isInterface2026,
  originOf,
  replyUnit,
  type Method,
} from './call.js';
import { displayBytes, failure, grouped, invalidPayload } from './errors.js';
import { updateSettingsArgs, type SettingsRecord, type VisibilityValue } from './types.js';

/** Limits of the replica's configuration. */
const MAX_CONTROLLERS = 10;
const MAX_ENVIRONMENT_VARIABLE_LENGTH = 128;
const MAX_WASM_MEMORY_LIMIT = 1n << 48n;
const MAX_LOG_MEMORY_LIMIT = 2n * 1024n ** 2n;
const MAX_VIEWERS = 10;
/** Of the 4 execution threads, 3 can be allocated, less one percent that stays free. */
const COMPUTE_CAPACITY_PERCENT = 299;
/** Payloads of update_settings up to this size are paid for after the settings changed. */
export const MAX_DELAYED_INGRESS_COST_PAYLOAD_SIZE = 267;

/**
 * Takes the fee of an `update_settings` from outside after the settings changed, if the canister can
 * pay it: so that lowering the freezing threshold unfreezes a canister.
 */
export function chargeDelayedIngress(context: ManagementContext, call: ManagementCall): void {
  if (call.method !== 'update_settings' || call.message.kind !== 'ingress') return;
  if (call.arg.length > MAX_DELAYED_INGRESS_COST_PAYLOAD_SIZE) return;
  const canister = updatedCanister(context, call.arg);
  if (canister === undefined) return;
  const fee = context.fees.ingress(call.method.length + call.arg.length);
  if (canister.balance - fee < freezingThreshold(context.fees, canister)) return;
  canister.balance -= fee;
  canister.consumedCycles += fee;
  canister.consumption.ingress_induction += fee;
}

function updatedCanister(context: ManagementContext, arg: Uint8Array): Canister | undefined {
  try {
    return context.subnet.canister(decodeArgs(updateSettingsArgs, arg).canister_id);
  } catch {
    return undefined;
  }
}

/** `update_settings` */
export const updateSettings: Method = (context, call) => {
  const args = decodeArgs(updateSettingsArgs, call.arg);
  const changes = parseSettings(context, args.settings);
  const canister = controlled(context, args.canister_id, call.sender);
  validateSettings(context, changes, canister);
  applySettings(canister.settings, changes);
  if (changes.logMemoryLimit !== undefined) canister.log.resize(changes.logMemoryLimit);
  refreshLowWasmMemoryHook(canister);
  canister.version++;
  if (changes.controllers) {
    recordControllers(context, canister, originOf(call, args.sender_canister_version));
  }
  return replyUnit();
};

function recordControllers(
  context: ManagementContext,
  canister: Canister,
  origin: ChangeOrigin,
): void {
  canister.recordChange(context.timeNs, origin, {
    kind: 'controllers_change',
    controllers: [...canister.settings.controllers],
  });
}

/** The settings that are given, checked one by one. Throws UserError. */
export function parseSettings(
  context: ManagementContext,
  given: SettingsRecord | undefined,
): Partial<CanisterSettings> {
  if (given === undefined) return {};
  const changes = isInterface2026(context) ? parseSettings2026(given) : {};
  if (given.compute_allocation !== undefined) {
    if (given.compute_allocation > 100n) {
      throw outOfRange(
        'ComputeAllocation expected to be in the range [0..100]',
        given.compute_allocation,
      );
    }
    changes.computeAllocation = Number(given.compute_allocation);
  }
  if (given.memory_allocation !== undefined) {
    changes.memoryAllocation = bounded(
      'MemoryAllocation expected to be in the range [0..18446744073709551615]',
      given.memory_allocation,
      64n,
    );
  }
  if (given.freezing_threshold !== undefined) {
    changes.freezingThreshold = bounded(
      'Freezing threshold expected to be in the range of [0..2^64-1]',
      given.freezing_threshold,
      64n,
    );
  }
  if (given.reserved_cycles_limit !== undefined) {
    changes.reservedCyclesLimit = bounded(
      'Reserved cycles limit expected to be in the range of [0..2^128-1]',
      given.reserved_cycles_limit,
      128n,
    );
  }
  if (given.wasm_memory_limit !== undefined) {
    if (given.wasm_memory_limit > MAX_WASM_MEMORY_LIMIT) {
      throw outOfRange(
        'Wasm memory limit expected to be in the range of [0..2^64-1]',
        given.wasm_memory_limit,
      );
    }
    changes.wasmMemoryLimit = given.wasm_memory_limit;
  }
  if (given.wasm_memory_threshold !== undefined) {
    changes.wasmMemoryThreshold = bounded(
      'Wasm memory threshold expected to be in the range of [0..2^64-1]',
      given.wasm_memory_threshold,
      64n,
    );
  }
  if (given.environment_variables !== undefined) {
    const names = new Set(given.environment_variables.map(({ name }) => name));
    if (names.size !== given.environment_variables.length) {
      throw invalidPayload('Duplicate environment variables are not allowed');
    }
    changes.environmentVariables = [...given.environment_variables].sort((a, b) =>
      Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)),
    );
  }
  if (given.log_visibility !== undefined) changes.logVisibility = visibility(given.log_visibility);
  if (given.controllers !== undefined) changes.controllers = sortedIds(given.controllers);
  return changes;
}

/** A list of controllers is bounded already when it is decoded. Throws UserError. */
export function checkControllerCount(given: SettingsRecord | undefined): void {
  const count = given?.controllers?.length ?? 0;
  if (count <= MAX_CONTROLLERS) return;
  throw invalidPayload(
    `Error decoding candid: Deserialize error: The number of elements exceeds maximum allowed ${MAX_CONTROLLERS}`,
  );
}

function bounded(text: string, value: bigint, bits: bigint): bigint {
  if (value >= 1n << bits) throw outOfRange(text, value);
  return value;
}

function outOfRange(text: string, value: bigint): UserError {
  return new UserError(ErrorCode.CanisterContractViolation, `${text}, got ${grouped(value)}`);
}

function visibility(given: VisibilityValue): Visibility {
  if ('allowed_viewers' in given) {
    return { kind: 'allowed_viewers', viewers: given.allowed_viewers };
  }
  return { kind: 'public' in given ? 'public' : 'controllers' };
}

/** The settings that came in 2026, checked one by one. Throws UserError. */
function parseSettings2026(given: SettingsRecord): Partial<CanisterSettings> {
  const changes: Partial<CanisterSettings> = {};
  if (given.log_memory_limit !== undefined) {
    if (given.log_memory_limit > MAX_LOG_MEMORY_LIMIT) {
      throw outOfRange(
        `Log memory limit expected to be in the range of [0..${MAX_LOG_MEMORY_LIMIT}]`,
        given.log_memory_limit,
      );
    }
    changes.logMemoryLimit = Number(given.log_memory_limit);
  }
  if (given.minimum_incoming_canister_call_cycles !== undefined) {
    changes.minimumIncomingCallCycles = bounded(
      'Minimum incoming canister call cycles expected to be in the range of [0..2^128-1]',
      given.minimum_incoming_canister_call_cycles,
      128n,
    );
  }
  if (given.snapshot_visibility !== undefined) {
    changes.snapshotVisibility = viewers('snapshot', given.snapshot_visibility);
  }
  if (given.status_visibility !== undefined) {
    changes.statusVisibility = viewers('status', given.status_visibility);
  }
  return changes;
}

function viewers(what: string, given: VisibilityValue): Visibility {
  if ('allowed_viewers' in given && given.allowed_viewers.length > MAX_VIEWERS) {
    throw invalidPayload(
      `Too many allowed viewers in the ${what} visibility: ${given.allowed_viewers.length} (max: ${MAX_VIEWERS})`,
    );
  }
  return visibility(given);
}

function sortedIds(ids: readonly Uint8Array[]): Uint8Array[] {
  const byKey = new Map(ids.map((id) => [idKey(id), id]));
  return [...byKey.values()].sort((a, b) => Buffer.compare(a, b));
}

/**
 * Checks settings against what the canister holds and what the subnet has left. Without a canister,
 * for one that is about to be created with `cycles`. Throws UserError.
 */
export function validateSettings(
  context: ManagementContext,
  changes: Partial<CanisterSettings>,
  canister: Canister | undefined,
  cycles = 0n,
): void {
  checkEnvironmentVariables(context, changes);
  const used = canister === undefined ? 0n : BigInt(totalMemory(canister.memoryMetrics()));
  const before = canister?.settings;
  const oldAllocation = before?.memoryAllocation ?? 0n;
  const newAllocation = changes.memoryAllocation ?? oldAllocation;
  if (changes.memoryAllocation !== undefined && newAllocation !== 0n && newAllocation < used) {
    throw failure(
      ErrorCode.InsufficientMemoryAllocation,
      `Canister was given ${displayBytes(newAllocation)} memory allocation but at least ${used} of memory is needed.`,
      "Try increasing the canister's memory allocation.",
      'not-enough-memory-allocation-given',
    );
  }
  const oldBytes = max(oldAllocation, used);
  const newBytes = max(newAllocation, used);
  const available = max(context.availableMemory, 0n) + oldBytes;
  if (newBytes > available) throw memoryOversubscribed(newBytes, available);

  const oldCompute = before?.computeAllocation ?? 0;
  const newCompute = changes.computeAllocation ?? oldCompute;
  checkComputeCapacity(context, oldCompute, newCompute);

  const balance = canister?.balance ?? cycles;
  const freezingThreshold = changes.freezingThreshold ?? before?.freezingThreshold ?? 2_592_000n;
  const idlePerDay = context.fees.idlePerDay(newBytes, 0n, newCompute);
  const threshold = (idlePerDay * freezingThreshold) / 86_400n - (canister?.reservedBalance ?? 0n);
  if (balance < threshold) {
    if (newCompute > oldCompute) {
      throw failure(
        ErrorCode.InsufficientCyclesInComputeAllocation,
        `Cannot increase compute allocation to ${newCompute}% due to insufficient cycles. At least ${grouped(threshold - balance)} additional cycles are required.`,
        'Top up the canister with more cycles.',
        'insufficient-cycles-in-compute-allocation',
      );
    }
    if (newAllocation > oldAllocation) {
      throw failure(
        ErrorCode.InsufficientCyclesInMemoryAllocation,
        `Cannot increase memory allocation to ${displayBytes(newAllocation)} due to insufficient cycles. At least ${grouped(threshold - balance)} additional cycles are required.`,
        'Top up the canister with more cycles.',
        'insufficient-cycles-in-memory-allocation',
      );
    }
  }
  const limit = changes.reservedCyclesLimit;
  if (canister !== undefined && limit !== undefined && canister.reservedBalance > limit) {
    throw failure(
      ErrorCode.ReservedCyclesLimitIsTooLow,
      `Cannot set the reserved cycles limit ${grouped(limit)} below the reserved cycles balance of the canister ${grouped(canister.reservedBalance)}.`,
      'Set the reserved cycles limit in the canister settings to a value that is at least the current reserved cycles balance.',
      'bare:reserved-cycles-limit-is-too-low',
    );
  }
}

export function memoryOversubscribed(requested: bigint, available: bigint): UserError {
  return failure(
    ErrorCode.SubnetOversubscribed,
    `Canister requested ${displayBytes(requested)} of memory but only ${displayBytes(available)} are available in the subnet.`,
    'Try moving to another subnet.',
    'subnet-memory-capacity-oversubscribed',
  );
}

function checkComputeCapacity(
  context: ManagementContext,
  oldPercent: number,
  newPercent: number,
): void {
  if (newPercent <= oldPercent) return;
  let allocated = 0;
  for (const canister of context.subnet.canisters.values()) {
    allocated += canister.settings.computeAllocation;
  }
  const available = Math.max(0, COMPUTE_CAPACITY_PERCENT - allocated) + oldPercent;
  if (newPercent <= available) return;
  throw failure(
    ErrorCode.SubnetOversubscribed,
    `Canister requested a compute allocation of ${newPercent}% which cannot be satisfied because the Subnet's remaining compute capacity is ${available}%.`,
    'Try moving to another subnet.',
    'subnet-compute-capacity-oversubscribed',
  );
}

function checkEnvironmentVariables(
  { schedule }: ManagementContext,
  { environmentVariables }: Partial<CanisterSettings>,
): void {
  if (environmentVariables === undefined) return;
  const most = profileOf(schedule).limits.environmentVariables;
  if (environmentVariables.length > most) {
    throw invalidPayload(
      `Too many environment variables: ${environmentVariables.length} (max: ${most})`,
    );
  }
  for (const { name, value } of environmentVariables) {
    if (Buffer.byteLength(name) > MAX_ENVIRONMENT_VARIABLE_LENGTH) {
      throw invalidPayload(
        `Environment variable name "${name}" exceeds the maximum allowed length of ${MAX_ENVIRONMENT_VARIABLE_LENGTH}.`,
      );
    }
    if (Buffer.byteLength(value) > MAX_ENVIRONMENT_VARIABLE_LENGTH) {
      throw invalidPayload(
        `Environment variable value "${value}" exceeds the maximum allowed length of ${MAX_ENVIRONMENT_VARIABLE_LENGTH}.`,
      );
    }
  }
}

/** Sets what is given. */
export function applySettings(
  settings: CanisterSettings,
  changes: Partial<CanisterSettings>,
): void {
  Object.assign(settings, changes);
}

/** Decides anew whether `canister_on_low_wasm_memory` is due. */
export function refreshLowWasmMemoryHook(canister: Canister): void {
  if (!lowWasmMemory(canister)) canister.lowWasmMemoryHook = 'condition_not_satisfied';
  else if (canister.lowWasmMemoryHook === 'condition_not_satisfied') {
    canister.lowWasmMemoryHook = 'ready';
  }
}

/** Whether less wasm memory is left than the threshold in the settings. */
export function lowWasmMemory(canister: Canister): boolean {
  const { wasmMemoryLimit, wasmMemoryThreshold } = canister.settings;
  return isWasmMemoryLow(canister.memoryMetrics().wasmMemory, wasmMemoryLimit, wasmMemoryThreshold);
}

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
