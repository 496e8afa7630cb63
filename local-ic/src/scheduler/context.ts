import type { DestinationError } from '../management/index.js';
import type { Canister, Fees, Subnet } from '../state/index.js';
import type { SubnetMemory } from '../system-api/index.js';
import type { CostSchedule } from '../wasm/index.js';
import type { SchedulerLimits } from './limits.js';
import type { ExecutionObserver } from './observer.js';

/** What an execution on a subnet depends on besides the canister. */
export interface ExecutionContext {
  readonly subnet: Subnet;
  readonly fees: Fees;
  readonly limits: SchedulerLimits;
  readonly schedule: CostSchedule;
  readonly timeNs: bigint;
  /** Public key of the network, DER. */
  readonly rootKey: Uint8Array;
  /** Whether a subnet of the network holds threshold keys. */
  readonly hasThresholdKeys: boolean;
  /** The subnet that takes a call of the management canister, or why none does. */
  readonly managementSubnet: (method: string, arg: Uint8Array) => Subnet | DestinationError;
  readonly subnetMemory: SubnetMemory;
  /** Certificate of a canister's certified data, for queries. */
  readonly dataCertificate: (canister: Canister) => Uint8Array | undefined;
  /** Told of every slice that canisters execute. */
  readonly observer: ExecutionObserver | undefined;
}
