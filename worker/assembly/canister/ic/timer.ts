/** The one timer of the canister: the earliest of the times asked for. */
import { global_timer_set, time } from './ic0';

const second: u64 = 1_000_000_000;
let deadline: u64 = 0;

/** Has the timer run at or before `seconds` from now. */
export function runTimerWithin(seconds: u64): void {
  const at = time() + seconds * second;
  if (deadline != 0 && deadline <= at) return;
  deadline = at;
  global_timer_set(<i64>at);
}

/** To be called when the timer runs. */
export function timerRan(): void {
  deadline = 0;
}
