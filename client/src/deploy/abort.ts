import { AbortError } from '../errors.js';

/** Throws {@link AbortError} where the caller wants a deployment to end. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  throw new AbortError('the deployment was ended by its caller', { cause: signal.reason });
}
