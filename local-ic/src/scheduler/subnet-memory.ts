import {
  allocatedBytes,
  EXECUTION_THREADS,
  SUBNET_MEMORY,
  SUBNET_MEMORY_RESERVATION,
  type Fees,
  type Subnet,
} from '../state/index.js';
import type { SubnetMemory } from '../system-api/index.js';

const GIB = 1024n ** 3n;
/** Memory of a subnet that may be used before growing costs reserved cycles. */
const RESERVATION_THRESHOLD = 750n * GIB;
/** Seconds of storage that are reserved when the subnet is full. */
const RESERVATION_SECONDS = 300_000_000n;

/** Memory that is left on a subnet, counted when somebody asks. */
export class SubnetMemoryView implements SubnetMemory {
  private used: bigint | undefined;

  constructor(
    private readonly subnet: Subnet,
    private readonly fees: Fees,
  ) {}

  /** Counts anew when asked next. */
  refresh(): void {
    this.used = undefined;
  }

  private get usedBytes(): bigint {
    if (this.used === undefined) {
      let used = 0n;
      for (const canister of this.subnet.canisters.values()) used += allocatedBytes(canister);
      this.used = used;
    }
    return this.used;
  }

  /** The share of one execution thread. */
  get available(): bigint {
    const left = SUBNET_MEMORY - SUBNET_MEMORY_RESERVATION - this.usedBytes;
    return left > 0n ? left / BigInt(EXECUTION_THREADS) : 0n;
  }

  set available(bytes: bigint) {
    this.used = this.usedBytes + (this.available - bytes) * BigInt(EXECUTION_THREADS);
  }

  reservation(bytes: bigint, alreadyAllocated: bigint): bigint {
    if (bytes === 0n || this.fees.free) return 0n;
    const over = this.usedBytes + alreadyAllocated - RESERVATION_THRESHOLD;
    if (over <= 0n) return 0n;
    const seconds = (RESERVATION_SECONDS * over) / (SUBNET_MEMORY - RESERVATION_THRESHOLD);
    return this.fees.storage(bytes, seconds * 1_000_000_000n);
  }
}
