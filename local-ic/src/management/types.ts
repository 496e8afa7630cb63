/**
 * Records of the management canister's interface (IC interface specification, "The IC management
 * canister"), in the spelling of its Candid description.
 */
import { USE_CASES, type UseCase } from '../state/index.js';
import {
  blob,
  bool,
  checkedBlob,
  float32Bits,
  float64Bits,
  int32,
  int64,
  nat,
  nat32,
  nat64,
  nul,
  opt,
  principal,
  record,
  reserved,
  text,
  variant,
  vec,
  type ValueOf,
} from './candid/index.js';

export const canisterIdRecord = record({ canister_id: principal });

const environmentVariable = record({ name: text, value: text });
const visibility = variant({
  controllers: nul,
  public: nul,
  allowed_viewers: vec(principal),
});
export type VisibilityValue = ValueOf<typeof visibility>;

/** Settings that came in 2026; earlier networks read over them. */
const settings2026 = {
  log_memory_limit: nat,
  minimum_incoming_canister_call_cycles: nat,
  snapshot_visibility: visibility,
  status_visibility: visibility,
} as const;

export const canisterSettings = record(
  {
    controllers: opt(vec(principal)),
    compute_allocation: opt(nat),
    memory_allocation: opt(nat),
    freezing_threshold: opt(nat),
    reserved_cycles_limit: opt(nat),
    log_visibility: opt(visibility),
    wasm_memory_limit: opt(nat),
    wasm_memory_threshold: opt(nat),
    environment_variables: opt(vec(environmentVariable)),
    log_memory_limit: opt(settings2026.log_memory_limit),
    minimum_incoming_canister_call_cycles: opt(settings2026.minimum_incoming_canister_call_cycles),
    snapshot_visibility: opt(settings2026.snapshot_visibility),
    status_visibility: opt(settings2026.status_visibility),
  },
  [
    'log_memory_limit',
    'minimum_incoming_canister_call_cycles',
    'snapshot_visibility',
    'status_visibility',
  ],
);
export type SettingsRecord = ValueOf<typeof canisterSettings>;

export const createCanisterArgs = record({
  settings: opt(canisterSettings),
  sender_canister_version: opt(nat64),
});
export const provisionalCreateArgs = record({
  amount: opt(nat),
  settings: opt(canisterSettings),
  specified_id: opt(principal),
  sender_canister_version: opt(nat64),
});
export const provisionalTopUpArgs = record({ canister_id: principal, amount: nat });
export const updateSettingsArgs = record({
  canister_id: principal,
  settings: canisterSettings,
  sender_canister_version: opt(nat64),
});
export const uninstallCodeArgs = record({
  canister_id: principal,
  sender_canister_version: opt(nat64),
});

const installMode = variant({
  install: nul,
  reinstall: nul,
  upgrade: opt(
    record({
      skip_pre_upgrade: opt(bool),
      wasm_memory_persistence: opt(variant({ keep: nul, replace: nul })),
    }),
  ),
});
export type InstallModeValue = ValueOf<typeof installMode>;

export const installCodeArgs = record({
  mode: installMode,
  canister_id: principal,
  wasm_module: blob,
  arg: blob,
  sender_canister_version: opt(nat64),
});

export const chunkHash = record({ hash: blob });
export const installChunkedCodeArgs = record({
  mode: installMode,
  target_canister: principal,
  store_canister: opt(principal),
  chunk_hashes_list: vec(chunkHash),
  wasm_module_hash: blob,
  arg: blob,
  sender_canister_version: opt(nat64),
});
export const uploadChunkArgs = record({ canister_id: principal, chunk: blob });
export const storedChunksReply = vec(chunkHash);

const definiteSettings = {
  controllers: vec(principal),
  compute_allocation: nat,
  memory_allocation: nat,
  freezing_threshold: nat,
  reserved_cycles_limit: nat,
  log_visibility: visibility,
  log_memory_limit: nat,
  wasm_memory_limit: nat,
  wasm_memory_threshold: nat,
  environment_variables: vec(environmentVariable),
} as const;
const memoryMetrics = {
  wasm_memory_size: nat,
  stable_memory_size: nat,
  global_memory_size: nat,
  wasm_binary_size: nat,
  custom_sections_size: nat,
  canister_history_size: nat,
  wasm_chunk_store_size: nat,
  snapshots_size: nat,
} as const;
const statusFields = {
  status: variant({ running: nul, stopping: nul, stopped: nul }),
  ready_for_migration: bool,
  version: nat64,
  module_hash: opt(blob),
  memory_size: nat,
  cycles: nat,
  idle_cycles_burned_per_day: nat,
  reserved_cycles: nat,
  query_stats: record({
    num_calls_total: nat,
    num_instructions_total: nat,
    request_payload_bytes_total: nat,
    response_payload_bytes_total: nat,
  }),
} as const;

/** What `canister_status` answered in 2025: with fields of the time before lists of controllers. */
export const canisterStatusReply2025 = record({
  ...statusFields,
  controller: principal,
  settings: record({ controller: principal, ...definiteSettings }),
  memory_metrics: record(memoryMetrics),
  balance: vec(record({ 0: blob, 1: nat })),
  freezing_threshold: nat,
});

export const canisterStatusReply = record({
  ...statusFields,
  settings: record({ ...definiteSettings, ...settings2026 }),
  memory_metrics: record({ ...memoryMetrics, log_memory_store_size: nat }),
});

export const canisterMetricsReply = record({
  cycles_consumed: record(
    Object.fromEntries(USE_CASES.map((useCase) => [useCase, nat])) as Record<UseCase, typeof nat>,
  ),
});

export const canisterInfoArgs = record({
  canister_id: principal,
  num_requested_changes: opt(nat64),
});
const snapshotSource = variant({ taken_from_canister: reserved, metadata_upload: reserved });
const change = record({
  timestamp_nanos: nat64,
  canister_version: nat64,
  origin: variant({
    from_user: record({ user_id: principal }),
    from_canister: record({ canister_id: principal, canister_version: opt(nat64) }),
  }),
  details: variant({
    creation: record({ controllers: vec(principal), environment_variables_hash: opt(blob) }),
    code_uninstall: nul,
    code_deployment: record({
      mode: variant({ install: nul, reinstall: nul, upgrade: nul }),
      module_hash: blob,
    }),
    controllers_change: record({ controllers: vec(principal) }),
    load_snapshot: record({
      canister_version: nat64,
      snapshot_id: blob,
      taken_at_timestamp: nat64,
      source: snapshotSource,
      from_canister_id: opt(principal),
    }),
    settings_change: record({
      controllers: opt(vec(principal)),
      environment_variables_hash: opt(blob),
    }),
    rename_canister: record({
      canister_id: principal,
      total_num_changes: nat64,
      rename_to: record({ canister_id: principal, version: nat64, total_num_changes: nat64 }),
    }),
  }),
});
export type ChangeRecord = ValueOf<typeof change>;
export const canisterInfoReply = record({
  total_num_changes: nat64,
  recent_changes: vec(change),
  module_hash: opt(blob),
  controllers: vec(principal),
});

export const canisterMetadataArgs = record({ canister_id: principal, name: text });
export const canisterMetadataReply = record({ value: blob });

const range = record({ start: nat64, end: nat64 });
/** Ranges without their end. */
export const canisterLogsArgs = record({
  canister_id: principal,
  filter: opt(variant({ by_idx: range, by_timestamp_nanos: range })),
});
export type LogFilter = ValueOf<typeof canisterLogsArgs>['filter'];
export const canisterLogsReply = record({
  canister_log_records: vec(record({ idx: nat64, timestamp_nanos: nat64, content: blob })),
});

const SNAPSHOT_NUMBER_BYTES = 8;
const MAX_SNAPSHOT_ID_BYTES = SNAPSHOT_NUMBER_BYTES + 29;

/** A number of 8 bytes, then a canister's id. The replica names the maximum where bytes are missing. */
const snapshotId = checkedBlob(({ length }) => {
  if (length >= SNAPSHOT_NUMBER_BYTES && length <= MAX_SNAPSHOT_ID_BYTES) return undefined;
  const bound = length < SNAPSHOT_NUMBER_BYTES ? 'minumum' : 'maximum';
  return `Invalid length of SnapshotId: Invalid snapshot ID length: provided ${length}, ${bound} length expected ${MAX_SNAPSHOT_ID_BYTES}.`;
});

export const takeSnapshotArgs = record(
  {
    canister_id: principal,
    replace_snapshot: opt(snapshotId),
    uninstall_code: opt(bool),
    sender_canister_version: opt(nat64),
  },
  ['uninstall_code', 'sender_canister_version'],
);
export const loadSnapshotArgs = record({
  canister_id: principal,
  snapshot_id: snapshotId,
  sender_canister_version: opt(nat64),
});
export const snapshotIdArgs = record({ canister_id: principal, snapshot_id: snapshotId });
export const snapshotReply = record({ id: blob, taken_at_timestamp: nat64, total_size: nat64 });
export const listSnapshotsReply = vec(snapshotReply);

const exportedGlobal = variant({
  i32: int32,
  i64: int64,
  f32: float32Bits,
  f64: float64Bits,
  v128: nat,
});
export type ExportedGlobal = ValueOf<typeof exportedGlobal>;
const globalTimer = variant({ inactive: nul, active: nat64 });
const lowWasmMemoryHookStatus = variant({
  condition_not_satisfied: nul,
  ready: nul,
  executed: nul,
});
export const snapshotMetadataReply = record({
  source: snapshotSource,
  taken_at_timestamp: nat64,
  wasm_module_size: nat64,
  globals: vec(exportedGlobal),
  wasm_memory_size: nat64,
  stable_memory_size: nat64,
  wasm_chunk_store: vec(chunkHash),
  canister_version: nat64,
  certified_data: blob,
  global_timer: opt(globalTimer),
  on_low_wasm_memory_hook_status: opt(lowWasmMemoryHookStatus),
});
export const uploadSnapshotMetadataArgs = record({
  canister_id: principal,
  replace_snapshot: opt(snapshotId),
  wasm_module_size: nat64,
  globals: vec(exportedGlobal),
  wasm_memory_size: nat64,
  stable_memory_size: nat64,
  certified_data: blob,
  global_timer: opt(globalTimer),
  on_low_wasm_memory_hook_status: opt(lowWasmMemoryHookStatus),
});
export const uploadSnapshotMetadataReply = record({ snapshot_id: blob });

const slice = record({ offset: nat64, size: nat64 });
const place = record({ offset: nat64 });
export const readSnapshotDataArgs = record({
  canister_id: principal,
  snapshot_id: snapshotId,
  kind: variant({
    wasm_module: slice,
    wasm_memory: slice,
    stable_memory: slice,
    wasm_chunk: record({ hash: blob }),
  }),
});
export const readSnapshotDataReply = record({ chunk: blob });
export const uploadSnapshotDataArgs = record({
  canister_id: principal,
  snapshot_id: snapshotId,
  kind: variant({ wasm_module: place, wasm_memory: place, stable_memory: place, wasm_chunk: nul }),
  chunk: blob,
});

const httpHeader = record({ name: text, value: text });
export const httpRequestArgs = record({
  url: text,
  max_response_bytes: opt(nat64),
  method: variant({ get: nul, head: nul, post: nul, put: nul, delete: nul, patch: nul }),
  headers: vec(httpHeader),
  body: opt(blob),
  is_replicated: opt(bool),
  pricing_version: opt(nat32),
});
export const httpResponse = record({ status: nat, headers: vec(httpHeader), body: blob });
