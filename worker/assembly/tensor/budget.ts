// @ts-ignore: decorator
@external('ic0', 'performance_counter')
declare function performanceCounter(kind: i32): i64;

let limit: u64 = u64.MAX_VALUE;

/** Instructions of the message under way after which operators yield. */
export function setBudget(instructions: u64): void {
  limit = instructions;
}

/** Whether the message has used its budget. Costs a system call: ask once in some million instructions. */
export function exhausted(): bool {
  return <u64>performanceCounter(0) >= limit;
}
