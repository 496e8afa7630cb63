import { sleep } from './abort.js';
import { toCanopyError, type CanopyError } from './errors.js';

export interface RetryOptions {
  /**
   * Times a call is tried in all before its error is passed on.
   * @default 8
   */
  attempts?: number;
  /**
   * Milliseconds before the second try; doubled each time.
   * @default 100
   */
  firstDelayMs?: number;
  /**
   * Longest wait between two tries in milliseconds.
   * @default 5000
   */
  longestDelayMs?: number;
  /** Told of each failure that is followed by another try. */
  onRetry?: (error: CanopyError, attempt: number) => void;
}

/** A canister that is being upgraded is stopped for a while: it is tried so many times as often. */
const patienceWithStopped = 3;

/** How one action is retried, besides what a session's options say. */
export interface RetryScope {
  /** Ends waiting between tries; no try follows once it is aborted. */
  signal?: AbortSignal;
  /** Which errors are followed by another try, of those that are worth it; all where it is left out. */
  only?: (error: CanopyError) => boolean;
}

/**
 * Runs `action` until it succeeds, fails with an error that is not retryable, or has been tried
 * `attempts` times; three times as often where a canister is stopped. Waits between tries are drawn from the
 * upper half of the back-off, so that many callers do not come back together. Throws {@link CanopyError};
 * `what` names the action in its text.
 */
export async function retry<T>(
  what: string,
  action: () => Promise<T>,
  options: RetryOptions = {},
  { signal, only = () => true }: RetryScope = {},
): Promise<T> {
  const { attempts = 8, firstDelayMs = 100, longestDelayMs = 5000, onRetry } = options;
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await action();
    } catch (error) {
      signal?.throwIfAborted();
      const known = toCanopyError(error, what);
      const most = known.code === 'stopped' ? attempts * patienceWithStopped : attempts;
      if (!known.retryable || attempt >= most || !only(known)) throw known;
      onRetry?.(known, attempt);
      const delay = Math.min(longestDelayMs, firstDelayMs * 2 ** (attempt - 1));
      await sleep(delay * (0.5 + Math.random() / 2), signal);
    }
  }
}
