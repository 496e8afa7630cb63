import { CanopyError, toCanopyError } from './errors.js';

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

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/**
 * Runs `action` until it succeeds, fails with an error that is not retryable, or has been tried
 * `attempts` times. Waits between tries are drawn from the upper half of the back-off, so that many
 * callers do not come back together. Throws {@link CanopyError}; `what` names the action in its text.
 */
export async function retry<T>(
  what: string,
  action: () => Promise<T>,
  options: RetryOptions = {},
): Promise<T> {
  const { attempts = 8, firstDelayMs = 100, longestDelayMs = 5000, onRetry } = options;
  for (let attempt = 1; ; attempt++) {
    try {
      return await action();
    } catch (error) {
      const known = toCanopyError(error, what);
      if (!known.retryable || attempt >= attempts) throw known;
      onRetry?.(known, attempt);
      const delay = Math.min(longestDelayMs, firstDelayMs * 2 ** (attempt - 1));
      await sleep(delay * (0.5 + Math.random() / 2));
    }
  }
}
