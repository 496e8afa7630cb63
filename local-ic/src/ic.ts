import type { ErrorCode } from './errors.js';
import type {
  Canister,
  Fees,
  IngressRecord,
  IngressStatus,
  Subnet,
  SubnetSpec,
} from './state/index.js';
import type { CostSchedule } from './wasm/index.js';

/** How to start an {@link Ic}. */
export interface IcOptions {
  readonly subnets: readonly SubnetSpec[];
  /** Schedule of memory costs; '2026-07' unless given. */
  readonly costs?: CostSchedule;
  /** Nanoseconds since 1970; 2021-05-06T19:17:10Z unless given. */
  readonly initialTimeNs?: bigint;
}

/** An update call from outside. */
export interface IngressCall {
  readonly sender: Uint8Array;
  /** Empty for the management canister. */
  readonly canisterId: Uint8Array;
  readonly method: string;
  readonly arg: Uint8Array;
  /** Canister whose subnet takes a management call. */
  readonly effectiveCanisterId?: Uint8Array;
  /** Subnet that takes a management call without an effective canister. */
  readonly subnetId?: Uint8Array;
  /** 32 bytes; computed from the rest unless given. */
  readonly messageId?: Uint8Array;
  /** Nanoseconds since 1970; 5 minutes from now unless given. */
  readonly expiry?: bigint;
  /** Told apart from the same call sent again. */
  readonly nonce?: Uint8Array;
}

/** A query call from outside. */
export interface QueryCall {
  readonly sender: Uint8Array;
  readonly canisterId: Uint8Array;
  readonly method: string;
  readonly arg: Uint8Array;
  readonly effectiveCanisterId?: Uint8Array;
}

/** Interface of {@link Ic}, for those that are built on top of it. */
export interface IcInterface {
  readonly costs: CostSchedule;
  readonly subnets: readonly Subnet[];
  /** Time of the latest state, nanoseconds since 1970. */
  readonly timeNs: bigint;
  /** Sets the time; the next round has exactly this time. */
  setTime(ns: bigint): void;
  advanceTime(ns: bigint): void;
  /** Executes one round on every subnet. */
  tick(): void;
  /**
   * Submits an update call. Throws UserError when a canister's or the subnet's checks refuse it
   * (stopped, out of cycles, inspect_message), IcError when no subnet takes it.
   */
  submitIngress(call: IngressCall): { messageId: Uint8Array };
  ingressStatus(messageId: Uint8Array): IngressStatus;
  ingressRecord(messageId: Uint8Array): IngressRecord | undefined;
  /** Answers a query call from the latest state. Throws UserError. */
  query(call: QueryCall): Uint8Array;
  canister(id: Uint8Array): Canister | undefined;
  subnetOf(id: Uint8Array): Subnet | undefined;
  fees(subnet: Subnet): Fees;
  cyclesBalance(id: Uint8Array): bigint;
  /** Returns the new balance. */
  addCycles(id: Uint8Array, amount: bigint): bigint;
  /** Whole stable memory; empty when there is no code. */
  stableMemory(id: Uint8Array): Uint8Array;
  setStableMemory(id: Uint8Array, bytes: Uint8Array): void;
  /** Adds a subnet to the running network. */
  addSubnet(spec: SubnetSpec): Subnet;
}

export type { ErrorCode };
