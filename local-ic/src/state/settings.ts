/** One environment variable of a canister. */
export interface EnvironmentVariable {
  readonly name: string;
  readonly value: string;
}

/** Who may read a canister's logs, its status or a snapshot's data. */
export type Visibility =
  | { readonly kind: 'controllers' }
  | { readonly kind: 'public' }
  | { readonly kind: 'allowed_viewers'; readonly viewers: readonly Uint8Array[] };

/** Settings of a canister, with the names of the management canister's interface. */
export interface CanisterSettings {
  /** Sorted by bytes, without duplicates. */
  controllers: Uint8Array[];
  /** Percent, 0 to 100. */
  computeAllocation: number;
  /** Bytes; 0n is best effort. */
  memoryAllocation: bigint;
  /** Seconds. */
  freezingThreshold: bigint;
  reservedCyclesLimit: bigint;
  logVisibility: Visibility;
  /** Bytes of log that are kept. */
  logMemoryLimit: number;
  snapshotVisibility: Visibility;
  statusVisibility: Visibility;
  /** Cycles that a call from another canister brings at least. */
  minimumIncomingCallCycles: bigint;
  /** Bytes; 0n is no limit. */
  wasmMemoryLimit: bigint;
  /** Bytes left below which `canister_on_low_wasm_memory` runs. */
  wasmMemoryThreshold: bigint;
  /** Sorted by name. */
  environmentVariables: EnvironmentVariable[];
}

/** Bytes of log that a canister keeps unless its settings say otherwise. */
export const DEFAULT_LOG_MEMORY_LIMIT = 4096;

/** Settings of a new canister: 30 days of freezing threshold, 5 T reserved cycles, 3 GiB of heap. */
export function defaultSettings(controllers: Uint8Array[]): CanisterSettings {
  return {
    controllers,
    computeAllocation: 0,
    memoryAllocation: 0n,
    freezingThreshold: 2_592_000n,
    reservedCyclesLimit: 5_000_000_000_000n,
    logVisibility: { kind: 'controllers' },
    logMemoryLimit: DEFAULT_LOG_MEMORY_LIMIT,
    snapshotVisibility: { kind: 'controllers' },
    statusVisibility: { kind: 'controllers' },
    minimumIncomingCallCycles: 0n,
    wasmMemoryLimit: 3_221_225_472n,
    wasmMemoryThreshold: 0n,
    environmentVariables: [],
  };
}
