import { AbortError, TimeoutError } from './errors.js';

/** How long something may take, and by what it is stopped. */
export interface Limits {
  /** Milliseconds it may take; `Infinity` sets no limit. */
  timeoutMs?: number;
  /** When it must have ended: a date, or milliseconds since 1970. The earlier of both limits holds. */
  deadline?: Date | number;
  /** Aborts it. */
  signal?: AbortSignal;
}

/** Longest delay of a timer. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * Runs `action` with a signal that is aborted by the limits' signal or when their time is over. Its reason
 * is then a {@link TimeoutError} or an {@link AbortError} with the signal's reason as cause; the action
 * throws it as soon as it sees it. `what` names the action in their texts, `next` what to do about a timeout.
 * The action is told too when its time is over, in milliseconds since 1970; `Infinity`: never.
 */
export async function within<T>(
  what: string,
  { timeoutMs = Infinity, deadline = Infinity, signal }: Limits,
  next: string,
  action: (signal: AbortSignal, endMs: number) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const left = Math.min(timeoutMs, Number(deadline) - Date.now());
  if (Number.isNaN(left)) throw new TypeError('"timeoutMs" and "deadline" must be numbers');
  const expire = (): void => {
    const limit = left <= 0 ? 'before it began' : `after ${Math.round(left)} ms`;
    controller.abort(new TimeoutError(`${what} was given up ${limit}: ${next}`));
  };
  const abort = (): void => {
    controller.abort(abortReason(what, signal!, next));
  };
  if (signal?.aborted) abort();
  else if (left <= 0) expire();
  signal?.addEventListener('abort', abort, { once: true });
  const timer = left < longestTimerMs ? setTimeout(expire, left) : undefined;
  try {
    return await action(controller.signal, Date.now() + left);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

/** A signal of `AbortSignal.timeout` says by its reason that time is over. */
function abortReason(what: string, { reason }: AbortSignal, next: string): Error {
  const cause: unknown = reason;
  return cause instanceof Error && cause.name === 'TimeoutError'
    ? new TimeoutError(`${what} was given up when its signal timed out: ${next}`, { cause })
    : new AbortError(`${what} was aborted by its signal`, { cause });
}

/** What a promise gives, unless the signal is aborted before: then its reason is thrown. */
export async function unlessAborted<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return promise;
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([aborted, promise]);
  } finally {
    signal.removeEventListener('abort', stop);
    // What comes of it after the signal is nobody's concern.
    promise.catch(() => undefined);
  }
}

/** Waits; throws the signal's reason when it is aborted. */
export async function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    await unlessAborted(
      new Promise<void>((resolve) => {
        timer = setTimeout(resolve, milliseconds);
      }),
      signal,
    );
  } finally {
    clearTimeout(timer);
  }
}
