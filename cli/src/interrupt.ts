import { Interrupted, type EndingSignal } from './errors.js';

/** Milliseconds that a command may take to clean up. */
const graceMs = 5000;

/** Tells a command that the user wants it to end. */
export interface Interruption {
  /** Aborted by the first signal, with {@link Interrupted} as its reason. */
  signal: AbortSignal;
  /** Rejects where the command goes on all the same: after a while, or at the second signal. */
  overdue: Promise<never>;
  /** Leaves signals to Node again. */
  stop(): void;
}

/** Catches SIGINT and SIGTERM until it is stopped. */
export function catchSignals(): Interruption {
  const controller = new AbortController();
  let giveUp: (reason: Interrupted) => void = () => undefined;
  const overdue = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  overdue.catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;
  const onSignal = (signal: EndingSignal): void => {
    const reason = new Interrupted(signal);
    if (controller.signal.aborted) {
      giveUp(reason);
      return;
    }
    controller.abort(reason);
    timer = setTimeout(giveUp, graceMs, reason);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    overdue,
    stop: () => {
      clearTimeout(timer);
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}

/** What `work` gives, or the reason of `signal` as soon as it is aborted; `work` may then go on unseen. */
export async function abortable<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  signal.throwIfAborted();
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
