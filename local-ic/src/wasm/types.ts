/**
 * The contract of this room: what the rest of the embedded IC sees of a canister's WebAssembly.
 */
import type { ProfileName } from '../costs/index.js';

/**
 * Which rules are in force. For this room: since the end of July 2026 reads of memory count too, whole
 * 64 KiB pages, at once; `2025-10` charges 4 KiB pages whose content changed, after the message.
 */
export type CostSchedule = ProfileName;

/** The entry points of a canister that are not methods. */
export const HOOKS = [
  'canister_init',
  'canister_pre_upgrade',
  'canister_post_upgrade',
  'canister_inspect_message',
  'canister_heartbeat',
  'canister_global_timer',
  'canister_on_low_wasm_memory',
] as const;
export type Hook = (typeof HOOKS)[number];

/** A custom section `icp:public NAME` or `icp:private NAME`. */
export interface CustomSection {
  name: string;
  visibility: 'public' | 'private';
  content: Uint8Array;
}

/** The `ic0` functions by name (`msg_reply`, ...). An i32 is a number, an i64 a bigint. */
export type HostFunctions = Record<string, (...args: never[]) => unknown>;

/** Where a run starts. */
export type EntryPoint =
  /** An exported function without parameters, by its export name (`canister_update f`). */
  | { export: string }
  /** A callback: index into table 0 of a function that takes one address-sized integer. */
  | { table: number; arg: number | bigint }
  /** The module's start function, which the host runs once, so that it is metered. */
  | { start: true };

/** Why WebAssembly stopped. */
export type TrapKind =
  | 'unreachable'
  | 'heap out of bounds'
  | 'table out of bounds'
  | 'integer division by 0'
  /** `i32.div_s` of the smallest number by -1 */
  | 'integer overflow'
  /** float to integer conversion of a value without an integer */
  | 'bad conversion to integer'
  /** `call_indirect` of an empty table slot */
  | 'null function'
  /** `call_indirect` of a function with another signature */
  | 'signature mismatch'
  | 'stack overflow'
  | 'instruction limit'
  /** one bulk operation cost more than a slice (`Trap.instructions` of them) */
  | 'slice overrun'
  /** the entry point's table index lies outside of the table */
  | 'no such function'
  /** the table entry that the entry point names is empty */
  | 'null entry'
  /** the entry point is a callback, and the module has no table */
  | 'no table'
  /** a host function threw (`Trap.error`) */
  | 'host';

/** One function of a backtrace, innermost first. */
export interface Frame {
  /** Index in the module as uploaded, imports counted first. */
  index: number;
  /** Name from the module's name section, if it has one. */
  name?: string;
}

export interface Trap {
  kind: TrapKind;
  /** What a host function threw, for kind `host`. */
  error?: unknown;
  /** Cost of the refused operation, for kind `slice overrun`. */
  instructions?: number;
  backtrace: Frame[];
}

export type RunOutcome =
  | { kind: 'returned'; instructions: number }
  | { kind: 'trapped'; trap: Trap; instructions: number };

export interface RunOptions {
  /** A query pays the first access of a page, not the first write (schedule 2026-07). */
  query?: boolean;
}

/** What the host may decide for an instance. */
export interface InstanceOptions {
  /**
   * Asked before `memory.grow` adds `additionalPages` (64 KiB each) to `currentPages`, when the
   * module's own maximum allows it; `holds` tells whether this engine's memory has room for so many.
   * Returns whether to grow (`false`: `memory.grow` yields -1); what it throws ends the run as a trap
   * of kind `host`.
   */
  mayGrow?: (currentPages: number, additionalPages: number, holds: boolean) => boolean;
}

/** The value of a global: floats and vectors by their bits. */
export interface GlobalValue {
  type: 'i32' | 'i64' | 'f32' | 'f64' | 'v128';
  /** Little-endian bytes: 4, 8 or 16. */
  bytes: Uint8Array;
}

/** Heap and globals, apart from any instance: what a canister snapshot holds. */
export interface HeapState {
  /** Size of the memory in 64 KiB pages. */
  pages: number;
  /** Content of the pages that are not all zero, by page number. */
  content: ReadonlyMap<number, Uint8Array>;
  /** Values of the mutable globals in the order of their indices. */
  globals: readonly GlobalValue[];
}
