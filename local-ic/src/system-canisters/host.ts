import type { UserError } from '../errors.js';
import type { SettingsRecord } from '../management/types.js';
import type { Subnet } from '../state/index.js';

/** What system canisters may do to the network. */
export interface SystemHost {
  readonly subnets: readonly Subnet[];
  /** Makes a canister with `cycles` less the fee; gives its id, or why there is none. */
  createCanister(request: {
    readonly subnet: Subnet;
    readonly creator: Uint8Array;
    readonly settings: SettingsRecord;
    readonly cycles: bigint;
  }): Uint8Array | UserError;
  /** Adds cycles to a canister; gives why it cannot. */
  deposit(canisterId: Uint8Array, cycles: bigint): UserError | undefined;
}

/** The cycles that a system canister itself has. */
export interface Vault {
  balance: bigint;
}
