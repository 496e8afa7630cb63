import type { Subnet } from '../state/index.js';
import type { CostSchedule } from '../wasm/index.js';

/** What certificates are made of. */
export interface CertifiedNetwork {
  /** In order of creation; the first one's key is the root key unless there is an NNS subnet. */
  readonly subnets: readonly Subnet[];
  readonly timeNs: bigint;
  /** What the network is like; one of 2025 certifies less. */
  readonly costs: CostSchedule;
}
