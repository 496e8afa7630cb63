/** The timer: sends again what waits, tells and looks for news of tasks, and goes on with the work. */
import { hasLiveRuns, watchRuns } from '../head/runs';
import { time } from '../ic/ic0';
import { runTimerWithin, timerRan } from '../ic/timer';
import { watchSeconds } from '../pacing/limits';
import { tellNews } from '../stage/news';
import { sendCancelled, sendWaiting } from '../stage/outbox';
import { schedule } from '../stage/pace';

/** When news was last told and looked for, nanoseconds. */
let watchedAt: u64 = 0;

export function timerFired(): void {
  timerRan();
  sendWaiting();
  // The timer also runs for other reasons, more often.
  if (time() >= watchedAt + watchSeconds * 1_000_000_000) {
    watchedAt = time();
    tellNews();
    watchRuns();
    sendCancelled();
  }
  if (hasLiveRuns()) runTimerWithin(watchSeconds);
  schedule();
}
