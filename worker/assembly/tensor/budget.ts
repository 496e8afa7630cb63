// @ts-ignore: decorator
@external('ic0', 'performance_counter')
declare function performanceCounter(kind: i32): i64;

/** Work between two looks at the counter: small beside a slice, large beside the look's cost. */
const CHECK_EVERY: u64 = 4_000_000;

let limit: u64 = u64.MAX_VALUE;
let unchecked: u64 = 0;

/** Instructions of the message under way after which operators yield. */
export function setBudget(instructions: u64): void {
  limit = instructions;
  unchecked = 0;
}

/** Whether the message has used its budget. Costs a system call: ask once in some million instructions. */
export function exhausted(): bool {
  return <u64>performanceCounter(0) >= limit;
}

/** Instructions of the message under way so far. Costs a system call. */
export function used(): u64 {
  return <u64>performanceCounter(0);
}

/**
 * Tells that about `instructions` were used; true where the operator should yield. Looks at the
 * counter only after some million instructions.
 */
export function spent(instructions: u64): bool {
  unchecked += instructions;
  if (unchecked < CHECK_EVERY) return false;
  unchecked = 0;
  return exhausted();
}
