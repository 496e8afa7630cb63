import { ErrorCode, UserError } from '../errors.js';
import { principalFromText, principalToText, sameId } from '../principal.js';
import {
  memoryUsage,
  messageMemoryUsage,
  type Canister,
  type CanisterChange,
  type LogRecord,
  type ManagementContext,
  type Visibility,
} from '../state/index.js';
import {
  controlled,
  controlledOrSelf,
  decodeArgs,
  existing,
  isInterface2026,
  isVisibleTo,
  reply,
  type Method,
} from './call.js';
import { encode } from './candid/index.js';
import {
  canisterIdRecord,
  canisterInfoArgs,
  canisterInfoReply,
  canisterLogsArgs,
  canisterLogsReply,
  canisterMetadataArgs,
  canisterMetadataReply,
  canisterMetricsReply,
  canisterStatusReply,
  canisterStatusReply2025,
  type ChangeRecord,
  type LogFilter,
  type VisibilityValue,
} from './types.js';

/** What the field `controller` holds when there is not just one. */
const NO_CONTROLLER = principalFromText('zrl4w-cqaaa-nocon-troll-eraaa-d5qc');
const MULTIPLE_CONTROLLERS = principalFromText('ifxlm-aqaaa-multi-pleco-ntrol-lersa-h3ae');

/** `canister_status`, in a round. */
export const canisterStatus: Method = (context, call) => ({
  kind: 'reply',
  data: statusReply(context, call.sender, call.arg),
});

/** `canister_status` as update or query call; Candid bytes. Throws UserError. */
export function statusReply(
  context: ManagementContext,
  sender: Uint8Array,
  arg: Uint8Array,
): Uint8Array {
  const { canister_id } = decodeArgs(canisterIdRecord, arg);
  const canister = readable(context, canister_id, sender);
  const { settings } = canister;
  const memory = canister.memoryMetrics();
  const used = BigInt(memoryUsage(canister));
  const stored = used > settings.memoryAllocation ? used : settings.memoryAllocation;
  const common = {
    status: { [canister.status.kind]: null } as { running: null },
    ready_for_migration: isReadyForMigration(canister),
    version: canister.version,
    module_hash: canister.code?.module.hash,
    memory_size: used,
    cycles: canister.balance,
    idle_cycles_burned_per_day: context.fees.idlePerDay(
      stored,
      BigInt(messageMemoryUsage(canister)),
      settings.computeAllocation,
    ),
    reserved_cycles: canister.reservedBalance,
    query_stats: {
      num_calls_total: canister.queryStats.numCalls,
      num_instructions_total: canister.queryStats.numInstructions,
      request_payload_bytes_total: canister.queryStats.requestPayloadBytes,
      response_payload_bytes_total: canister.queryStats.responsePayloadBytes,
    },
  };
  const definiteSettings = {
    controllers: settings.controllers,
    compute_allocation: BigInt(settings.computeAllocation),
    memory_allocation: settings.memoryAllocation,
    freezing_threshold: settings.freezingThreshold,
    reserved_cycles_limit: settings.reservedCyclesLimit,
    log_visibility: visibilityRecord(settings.logVisibility),
    log_memory_limit: BigInt(settings.logMemoryLimit),
    wasm_memory_limit: settings.wasmMemoryLimit,
    wasm_memory_threshold: settings.wasmMemoryThreshold,
    environment_variables: [...settings.environmentVariables],
  };
  const memoryMetrics = {
    wasm_memory_size: BigInt(memory.wasmMemory),
    stable_memory_size: BigInt(memory.stableMemory),
    global_memory_size: BigInt(memory.globalMemory),
    wasm_binary_size: BigInt(memory.wasmBinary),
    custom_sections_size: BigInt(memory.customSections),
    canister_history_size: BigInt(memory.history),
    wasm_chunk_store_size: BigInt(memory.chunkStore),
    snapshots_size: BigInt(memory.snapshots),
  };
  if (!isInterface2026(context)) {
    const controller = soleController(settings.controllers);
    return encode(canisterStatusReply2025, {
      ...common,
      controller,
      settings: { controller, ...definiteSettings },
      memory_metrics: memoryMetrics,
      balance: [{ 0: Uint8Array.of(0), 1: canister.balance }],
      freezing_threshold: settings.freezingThreshold,
    });
  }
  return encode(canisterStatusReply, {
    ...common,
    settings: {
      ...definiteSettings,
      minimum_incoming_canister_call_cycles: settings.minimumIncomingCallCycles,
      snapshot_visibility: visibilityRecord(settings.snapshotVisibility),
      status_visibility: visibilityRecord(settings.statusVisibility),
    },
    memory_metrics: { ...memoryMetrics, log_memory_store_size: BigInt(canister.log.usedBytes) },
  });
}

/** A canister whose status the caller may read. Throws UserError. */
function readable(context: ManagementContext, id: Uint8Array, sender: Uint8Array): Canister {
  if (!isInterface2026(context)) return controlledOrSelf(context, id, sender);
  const canister = existing(context, id);
  if (sameId(id, sender) || isVisibleTo(canister, canister.settings.statusVisibility, sender)) {
    return canister;
  }
  throw new UserError(
    ErrorCode.CanisterStatusAccessDenied,
    `Caller ${principalToText(sender)} is not allowed to access the status of canister ${principalToText(id)}`,
  );
}

/** `canister_metrics`, in a round. */
export const canisterMetrics: Method = (context, call) => ({
  kind: 'reply',
  data: metricsReply(context, call.sender, call.arg),
});

/** `canister_metrics` as update or query call; Candid bytes. Throws UserError. */
export function metricsReply(
  context: ManagementContext,
  sender: Uint8Array,
  arg: Uint8Array,
): Uint8Array {
  const { canister_id } = decodeArgs(canisterIdRecord, arg);
  const { consumption } = controlled(context, canister_id, sender);
  return encode(canisterMetricsReply, { cycles_consumed: consumption });
}

function soleController(controllers: readonly Uint8Array[]): Uint8Array {
  return controllers.length > 1 ? MULTIPLE_CONTROLLERS : (controllers[0] ?? NO_CONTROLLER);
}

/** Stopped, and nothing of it under way. */
function isReadyForMigration(canister: Canister): boolean {
  return (
    canister.status.kind === 'stopped' &&
    !canister.queues.hasInput() &&
    !canister.queues.hasOutput() &&
    canister.callContexts.openCallbacks === 0
  );
}

function visibilityRecord(visibility: Visibility): VisibilityValue {
  switch (visibility.kind) {
    case 'controllers':
      return { controllers: null };
    case 'public':
      return { public: null };
    case 'allowed_viewers':
      return { allowed_viewers: [...visibility.viewers] };
  }
}

/** `canister_info`: for any canister that asks. */
export const canisterInfo: Method = (context, call) => {
  const args = decodeArgs(canisterInfoArgs, call.arg);
  const canister = existing(context, args.canister_id);
  const { changes, totalChanges } = canister.history;
  const wanted = args.num_requested_changes ?? 0n;
  const count = wanted > BigInt(changes.length) ? changes.length : Number(wanted);
  return reply(canisterInfoReply, {
    total_num_changes: totalChanges,
    recent_changes: changes.slice(changes.length - count).map(changeRecord),
    module_hash: canister.code?.module.hash,
    controllers: canister.settings.controllers,
  });
};

function changeRecord(change: CanisterChange): ChangeRecord {
  const { origin } = change;
  return {
    timestamp_nanos: change.timestamp,
    canister_version: change.canisterVersion,
    origin:
      origin.kind === 'from_user'
        ? { from_user: { user_id: origin.userId } }
        : {
            from_canister: {
              canister_id: origin.canisterId,
              canister_version: origin.canisterVersion,
            },
          },
    details: detailsRecord(change.details),
  };
}

function detailsRecord(details: CanisterChange['details']): ChangeRecord['details'] {
  switch (details.kind) {
    case 'creation':
      return {
        creation: {
          controllers: [...details.controllers],
          environment_variables_hash: details.environmentVariablesHash,
        },
      };
    case 'code_uninstall':
      return { code_uninstall: null };
    case 'code_deployment':
      return {
        code_deployment: {
          mode: { [details.mode]: null } as { install: null },
          module_hash: details.moduleHash,
        },
      };
    case 'controllers_change':
      return { controllers_change: { controllers: [...details.controllers] } };
    case 'load_snapshot':
      return {
        load_snapshot: {
          canister_version: details.canisterVersion,
          snapshot_id: details.snapshotId,
          taken_at_timestamp: details.takenAt,
          source: { [details.source]: null } as { metadata_upload: null },
          from_canister_id: details.fromCanisterId,
        },
      };
  }
}

/** `canister_metadata`: a custom section, private ones for controllers only. */
export const canisterMetadata: Method = (context, call) => {
  const args = decodeArgs(canisterMetadataArgs, call.arg);
  const canister = existing(context, args.canister_id);
  const id = principalToText(canister.id);
  if (canister.code === undefined) {
    throw new UserError(
      ErrorCode.CanisterRejectedMessage,
      `The canister ${id} has no Wasm module and hence no metadata is available.`,
    );
  }
  const section = canister.code.module.customSections.find(({ name }) => name === args.name);
  if (
    section === undefined ||
    (section.visibility === 'private' && !canister.isController(call.sender))
  ) {
    throw new UserError(
      ErrorCode.CanisterRejectedMessage,
      `The canister ${id} has no metadata section with the name ${args.name}.`,
    );
  }
  return reply(canisterMetadataReply, { value: section.content });
};

/** `fetch_canister_logs`, a query call; Candid bytes. Throws UserError. */
export function logsReply(
  context: ManagementContext,
  sender: Uint8Array,
  arg: Uint8Array,
): Uint8Array {
  const { canister_id, filter } = readLogsArgs(context, arg);
  const canister = existing(context, canister_id);
  if (!isVisibleTo(canister, canister.settings.logVisibility, sender)) {
    throw new UserError(
      ErrorCode.CanisterRejectedMessage,
      `Caller ${principalToText(sender)} is not allowed to access canister logs`,
    );
  }
  const records = canister.log.records.filter((record) => passes(filter, record));
  return encode(canisterLogsReply, {
    canister_log_records: records.map(({ idx, timestampNs, content }) => ({
      idx,
      timestamp_nanos: timestampNs,
      content,
    })),
  });
}

/** Filters came in 2026: earlier networks read over them. */
function readLogsArgs(
  context: ManagementContext,
  arg: Uint8Array,
): { readonly canister_id: Uint8Array; readonly filter?: LogFilter } {
  return isInterface2026(context)
    ? decodeArgs(canisterLogsArgs, arg)
    : decodeArgs(canisterIdRecord, arg);
}

function passes(filter: LogFilter, { idx, timestampNs }: LogRecord): boolean {
  if (filter === undefined) return true;
  return 'by_idx' in filter
    ? isWithin(filter.by_idx, idx)
    : isWithin(filter.by_timestamp_nanos, timestampNs);
}

function isWithin({ start, end }: { start: bigint; end: bigint }, value: bigint): boolean {
  return start <= value && value < end;
}
