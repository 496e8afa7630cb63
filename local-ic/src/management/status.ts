import { ErrorCode, UserError } from '../errors.js';
import { principalFromText, principalToText } from '../principal.js';
import {
  memoryUsage,
  messageMemoryUsage,
  type Canister,
  type CanisterChange,
  type LogVisibility,
  type ManagementContext,
} from '../state/index.js';
import { controlledOrSelf, decodeArgs, existing, reply, type Method } from './call.js';
import { encode } from './candid/index.js';
import {
  canisterIdRecord,
  canisterInfoArgs,
  canisterInfoReply,
  canisterLogsReply,
  canisterMetadataArgs,
  canisterMetadataReply,
  canisterStatusReply,
  type ChangeRecord,
} from './types.js';

/** Aggregate log memory limit of every canister, bytes. */
const LOG_MEMORY_LIMIT = 4096n;
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
  const canister = controlledOrSelf(context, canister_id, sender);
  const { settings } = canister;
  const memory = canister.memoryMetrics();
  const used = BigInt(memoryUsage(canister));
  const stored = used > settings.memoryAllocation ? used : settings.memoryAllocation;
  const controller = soleController(settings.controllers);
  return encode(canisterStatusReply, {
    status: { [canister.status.kind]: null } as { running: null },
    ready_for_migration: isReadyForMigration(canister),
    version: canister.version,
    module_hash: canister.code?.module.hash,
    controller,
    settings: {
      controller,
      controllers: settings.controllers,
      compute_allocation: BigInt(settings.computeAllocation),
      memory_allocation: settings.memoryAllocation,
      freezing_threshold: settings.freezingThreshold,
      reserved_cycles_limit: settings.reservedCyclesLimit,
      log_visibility: logVisibilityRecord(settings.logVisibility),
      log_memory_limit: LOG_MEMORY_LIMIT,
      wasm_memory_limit: settings.wasmMemoryLimit,
      wasm_memory_threshold: settings.wasmMemoryThreshold,
      environment_variables: [...settings.environmentVariables],
    },
    memory_size: used,
    memory_metrics: {
      wasm_memory_size: BigInt(memory.wasmMemory),
      stable_memory_size: BigInt(memory.stableMemory),
      global_memory_size: BigInt(memory.globalMemory),
      wasm_binary_size: BigInt(memory.wasmBinary),
      custom_sections_size: BigInt(memory.customSections),
      canister_history_size: BigInt(memory.history),
      wasm_chunk_store_size: BigInt(memory.chunkStore),
      snapshots_size: BigInt(memory.snapshots),
    },
    cycles: canister.balance,
    balance: [{ 0: Uint8Array.of(0), 1: canister.balance }],
    freezing_threshold: settings.freezingThreshold,
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
  });
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

function logVisibilityRecord(
  visibility: LogVisibility,
): { controllers: null } | { public: null } | { allowed_viewers: Uint8Array[] } {
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
  const { canister_id } = decodeArgs(canisterIdRecord, arg);
  const canister = existing(context, canister_id);
  if (!mayReadLogs(canister, sender)) {
    throw new UserError(
      ErrorCode.CanisterRejectedMessage,
      `Caller ${principalToText(sender)} is not allowed to access canister logs`,
    );
  }
  return encode(canisterLogsReply, {
    canister_log_records: canister.log.records.map(({ idx, timestampNs, content }) => ({
      idx,
      timestamp_nanos: timestampNs,
      content,
    })),
  });
}

function mayReadLogs(canister: Canister, sender: Uint8Array): boolean {
  const { logVisibility } = canister.settings;
  if (logVisibility.kind === 'public' || canister.isController(sender)) return true;
  return (
    logVisibility.kind === 'allowed_viewers' &&
    logVisibility.viewers.some((viewer) => Buffer.compare(viewer, sender) === 0)
  );
}
