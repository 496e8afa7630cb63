import type { CanisterModule, HeapState } from '../wasm/index.js';
import type { StableSnapshot } from './stable-memory.js';

/** A snapshot of a canister: code, heap, stable memory, chunk store and the like. */
export interface CanisterSnapshot {
  /** 8 bytes big-endian local number, then the canister id. */
  readonly id: Uint8Array;
  readonly canisterId: Uint8Array;
  readonly takenAt: bigint;
  readonly canisterVersion: bigint;
  readonly source: 'taken_from_canister' | 'metadata_upload';
  /** Bytes it counts towards memory. */
  sizeBytes: number;
  wasmModuleBytes: Uint8Array;
  /** Undefined for an uploaded snapshot whose module has not been compiled. */
  module: CanisterModule | undefined;
  heap: HeapState | undefined;
  /** Contents of an uploaded heap (written chunk by chunk). */
  uploadedHeap: Uint8Array | undefined;
  uploadedGlobals: readonly unknown[] | undefined;
  stable: StableSnapshot;
  certifiedData: Uint8Array;
  chunkStore: Map<string, Uint8Array>;
  globalTimer: bigint | undefined;
  lowWasmMemoryHook: 'condition_not_satisfied' | 'ready' | 'executed';
}
