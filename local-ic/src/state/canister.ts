import { idKey, sameId } from '../principal.js';
import type { CanisterInstance, CanisterModule } from '../wasm/index.js';
import { CallContexts } from './call-contexts.js';
import { noConsumption } from './consumption.js';
import { CanisterHistory, type ChangeDetails, type ChangeOrigin } from './history.js';
import { CanisterLog } from './logs.js';
import type { Ingress, Request } from './messages.js';
import type { NativeCanister } from './native.js';
import { CanisterQueues } from './queues.js';
import type { CanisterSettings } from './settings.js';
import { StableMemory, WASM_PAGE } from './stable-memory.js';

/** Who waits for a `stop_canister` to end. */
export interface StopWaiter {
  readonly call: Ingress | Request;
  /** Cycles to give back with the answer. */
  readonly refund: bigint;
  readonly since: bigint;
}

/** Life of a canister, as `canister_status` names it. */
export type CanisterStatus =
  | { readonly kind: 'running' }
  | { readonly kind: 'stopping'; readonly waiters: StopWaiter[] }
  | { readonly kind: 'stopped' };

/** The installed code with its memories. */
export interface Code {
  readonly module: CanisterModule;
  /** The module as it was uploaded. */
  readonly moduleBytes: Uint8Array;
  readonly instance: CanisterInstance;
  readonly stable: StableMemory;
  /** What its public and private custom sections count in memory. */
  readonly sectionBytes: number;
  /** What its globals count in memory. */
  readonly globalBytes: number;
  /** Its `ic0` functions (made by the scheduler room). */
  readonly api: unknown;
}

/** State of the hook `canister_on_low_wasm_memory`. */
export type LowWasmMemoryHook = 'condition_not_satisfied' | 'ready' | 'executed';

/** Query statistics of a canister (`canister_status`). */
export interface QueryStats {
  numCalls: bigint;
  numInstructions: bigint;
  requestPayloadBytes: bigint;
  responsePayloadBytes: bigint;
}

/** What the scheduler keeps for a canister. */
export interface SchedulerState {
  accumulatedPriority: number;
  priorityCredit: number;
  longExecutionMode: 'opportunistic' | 'prioritized';
  lastFullExecutionRound: number;
  /** Bytes of changed heap not yet paid off. */
  heapDeltaDebit: number;
  /** Instructions of install_code not yet paid off. */
  installCodeDebit: number;
  /** Where the turn between heartbeat, timer and messages stands. */
  nextScheduledMethod: 'globalTimer' | 'heartbeat' | 'message';
  /** Nanoseconds; when storage and compute allocation were last charged. */
  timeOfLastAllocationCharge: bigint;
}

/** A canister with all its state. */
export class Canister {
  readonly key: string;
  /** Cycles; 0n or more. */
  balance: bigint;
  /** Cycles set aside for storage on a full subnet. */
  reservedBalance = 0n;
  status: CanisterStatus = { kind: 'running' };
  code: Code | undefined;
  /** Methods in place of code, for a canister that the embedded IC provides. */
  native: NativeCanister | undefined;
  version = 0n;
  /** Set by the canister, at most 32 bytes. */
  certifiedData: Uint8Array = new Uint8Array(0);
  /** Nanoseconds since 1970; undefined is off. */
  globalTimer: bigint | undefined;
  lowWasmMemoryHook: LowWasmMemoryHook = 'condition_not_satisfied';
  readonly queues = new CanisterQueues();
  callContexts = new CallContexts();
  readonly history = new CanisterHistory();
  readonly log: CanisterLog;
  /** Chunks of modules by SHA-256 in hex, each counting 1 MiB. */
  readonly chunkStore = new Map<string, Uint8Array>();
  /** Ids in hex of its snapshots, oldest first. */
  readonly snapshotIds: string[] = [];
  nextSnapshotNumber = 0n;
  /** Bytes of its snapshots. */
  snapshotsBytes = 0;
  /** Cycles burned by `cycles_burn` or charged, in all. */
  consumedCycles = 0n;
  /** Cycles consumed, by what for. */
  readonly consumption = noConsumption();
  readonly queryStats: QueryStats = {
    numCalls: 0n,
    numInstructions: 0n,
    requestPayloadBytes: 0n,
    responsePayloadBytes: 0n,
  };
  readonly scheduler: SchedulerState;
  /** Nanoseconds since 1970. */
  readonly createdAt: bigint;
  /** When its code was last installed, upgraded or loaded from a snapshot; nanoseconds since 1970. */
  installedAt: bigint | undefined;
  /** A long execution under way; while set, the canister takes nothing else. */
  paused: LongExecution | undefined;
  /** Tasks of this round that run before messages. */
  readonly tasks: ('heartbeat' | 'globalTimer')[] = [];
  /** Fees for ingress messages taken in while an execution was paused. */
  ingressDebit = 0n;

  constructor(
    readonly id: Uint8Array,
    readonly subnetKey: string,
    public settings: CanisterSettings,
    balance: bigint,
    now: bigint,
  ) {
    this.key = idKey(id);
    this.balance = balance;
    this.createdAt = now;
    this.log = new CanisterLog(0n, settings.logMemoryLimit);
    this.scheduler = {
      accumulatedPriority: 0,
      priorityCredit: 0,
      longExecutionMode: 'opportunistic',
      lastFullExecutionRound: 0,
      heapDeltaDebit: 0,
      installCodeDebit: 0,
      nextScheduledMethod: 'globalTimer',
      timeOfLastAllocationCharge: now,
    };
  }

  isController(id: Uint8Array): boolean {
    return this.settings.controllers.some((controller) => sameId(controller, id));
  }

  /** Adds an entry to the history at the canister's present version. */
  recordChange(timestamp: bigint, origin: ChangeOrigin, details: ChangeDetails): void {
    this.history.add({ timestamp, canisterVersion: this.version, origin, details });
    if (details.kind === 'code_deployment' || details.kind === 'load_snapshot') {
      this.installedAt = timestamp;
    }
  }

  /** Sizes of what counts towards the canister's memory, in bytes. */
  memoryMetrics(): MemoryMetrics {
    const code = this.code;
    const wasmMemory = code ? code.instance.memoryPages() * WASM_PAGE : 0;
    return {
      wasmMemory,
      stableMemory: code ? code.stable.sizeBytes : 0,
      globalMemory: code ? code.globalBytes : 0,
      wasmBinary: code ? code.moduleBytes.length : 0,
      customSections: code ? code.sectionBytes : 0,
      history: this.history.memoryBytes(),
      chunkStore: this.chunkStore.size * 1_048_576,
      snapshots: this.snapshotsBytes,
    };
  }
}

/** Bytes by kind, as `canister_status` lists them. */
export interface MemoryMetrics {
  readonly wasmMemory: number;
  readonly stableMemory: number;
  readonly globalMemory: number;
  readonly wasmBinary: number;
  readonly customSections: number;
  readonly history: number;
  readonly chunkStore: number;
  readonly snapshots: number;
}

/** Sum of all kinds: what counts against the memory allocation and is charged for. */
export function totalMemory(metrics: MemoryMetrics): number {
  return (
    metrics.wasmMemory +
    metrics.stableMemory +
    metrics.globalMemory +
    metrics.wasmBinary +
    metrics.customSections +
    metrics.history +
    metrics.chunkStore +
    metrics.snapshots
  );
}

/** A message or an installation that takes more than one slice. */
export interface LongExecution {
  readonly kind: 'message' | 'install_code';
  /** An aborted execution starts again from the beginning. */
  readonly state: 'paused' | 'aborted';
}

/** Moves the hook `canister_on_low_wasm_memory` on after memory grew: it runs once per crossing. */
export function canisterLowMemoryHook(canister: Canister, isLow: boolean): void {
  if (!isLow) canister.lowWasmMemoryHook = 'condition_not_satisfied';
  else if (canister.lowWasmMemoryHook === 'condition_not_satisfied')
    canister.lowWasmMemoryHook = 'ready';
}
