import type { Canister, ManagementRoom, Subnet } from '../state/index.js';
import type { CostSchedule } from '../wasm/index.js';

/** What the subnets of one network share. */
export interface Network {
  readonly schedule: CostSchedule;
  readonly management: ManagementRoom;
  /** Subnet that hosts a canister id, whether or not the canister exists. */
  subnetOf(canisterId: Uint8Array): Subnet | undefined;
  subnetById(id: Uint8Array): Subnet | undefined;
  findCanister(id: Uint8Array): Canister | undefined;
  dataCertificate(canister: Canister): Uint8Array | undefined;
  allSubnets(): readonly Subnet[];
}
