import { limits } from '../costs/index.js';
import { totalMemory, type Canister } from './canister.js';
import type { Fees } from './fees.js';

const GIB = 1024n ** 3n;
/** Memory of a subnet. */
export const SUBNET_MEMORY = BigInt(limits.memory.subnetMemoryBytes);
/** Part of it that is kept free for executions under way. */
export const SUBNET_MEMORY_RESERVATION = 10n * GIB;
/** Execution threads; each may use its share of what is available. */
export const EXECUTION_THREADS = limits.scheduler.executionThreads;

/** Bytes that count towards a canister's memory allocation and storage fee. */
export function memoryUsage(canister: Canister): number {
  return totalMemory(canister.memoryMetrics());
}

/** Bytes of messages of a canister: those that wait, and room for responses that are guaranteed. */
export function messageMemoryUsage(canister: Canister): number {
  return canister.queues.memoryBytes();
}

/** Memory allocated to a canister: what it uses, or what it has reserved if that is more. */
export function allocatedBytes(canister: Canister): bigint {
  const used = BigInt(memoryUsage(canister));
  return used > canister.settings.memoryAllocation ? used : canister.settings.memoryAllocation;
}

/** Cycles below which a canister is frozen. */
export function freezingThreshold(
  fees: Fees,
  canister: Canister,
  memoryBytes: number = memoryUsage(canister),
  messageBytes: number = messageMemoryUsage(canister),
  reservedBalance: bigint = canister.reservedBalance,
): bigint {
  if (fees.free) return 0n;
  const { memoryAllocation, computeAllocation, freezingThreshold: seconds } = canister.settings;
  const used = BigInt(memoryBytes);
  const stored = used > memoryAllocation ? used : memoryAllocation;
  const perDay = fees.idlePerDay(stored, BigInt(messageBytes), computeAllocation);
  const threshold = (perDay * seconds) / 86_400n - reservedBalance;
  return threshold > 0n ? threshold : 0n;
}
