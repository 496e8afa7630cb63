/** Percent that can be had by long executions beside others: one thread is held back. */
const SHARED_CAPACITY_PERCENT = 300;

/** Threads set apart for long executions. Allocations are percent, sums over the schedule. */
export function longThreads(
  long: { readonly count: number; readonly allocation: number },
  all: { readonly count: number; readonly allocation: number },
  threads: number,
): number {
  if (long.count === 0) return 0;
  if (long.count === all.count) return Math.min(long.count, threads);
  const free = Math.max(0, SHARED_CAPACITY_PERCENT - all.allocation);
  const share = (long.allocation + (free * long.count) / all.count) / 100;
  return Math.max(1, Math.min(long.count, Math.ceil(share), threads - 1));
}

/** Deals long executions in turn over their threads, the others in turn over the rest. */
export function deal<T>(
  long: readonly T[],
  others: readonly T[],
  forLong: number,
  threads: number,
): T[][] {
  const dealt: T[][] = Array.from({ length: threads }, () => []);
  long.forEach((item, index) => dealt[index % forLong]!.push(item));
  const rest = threads - forLong;
  others.forEach((item, index) => dealt[forLong + (index % rest)]!.push(item));
  return dealt;
}
