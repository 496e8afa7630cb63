/** The one timer of the canister: the earliest of the times asked for. */
import { global_timer_set, time } from './ic0';

const second: u64 = 1_000_000_000;
let deadline: u64 = 0;

/** Has the timer run at or before `seconds` from now. */
export function runTimerWithin(seconds: u64): void {
  const at = time() + seconds * second;
  // One that is over was lost: the state may be that of a snapshot, taken before it was set.
  if (deadline >= time() && deadline <= at) return;
  deadline = at;
  global_timer_set(<i64>at);
}

/** To be called when the timer runs. */
export function timerRan(): void {
  deadline = 0;
}
