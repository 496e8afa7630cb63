import type { SubnetSpec } from './state/index.js';
import type { CostSchedule } from './wasm/index.js';

/** How to start an {@link Ic}. */
export interface IcOptions {
  readonly subnets: readonly SubnetSpec[];
  /** Profile: what the network allows and charges; '2026-07' unless given. */
  readonly costs?: CostSchedule;
  /** Nanoseconds since 1970; 2021-05-06T19:17:10Z unless given. */
  readonly initialTimeNs?: bigint;
  /** Public key of the network, DER; a stand-in without a key behind it unless given. */
  readonly rootKey?: Uint8Array;
  /** Id of the subnet with an index; a stand-in unless given. */
  readonly subnetId?: (index: number, spec: SubnetSpec) => Uint8Array;
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
  /** Told apart from the same call sent again; counted up unless given. */
  readonly nonce?: Uint8Array;
}

/** A query call from outside. */
export interface QueryCall {
  readonly sender: Uint8Array;
  readonly canisterId: Uint8Array;
  readonly method: string;
  readonly arg: Uint8Array;
  readonly effectiveCanisterId?: Uint8Array;
  /** Subnet that answers a management query without an effective canister. */
  readonly subnetId?: Uint8Array;
}
