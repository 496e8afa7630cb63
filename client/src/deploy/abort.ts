import { CanopyError } from '../errors.js';

/** Throws `cancelled`, which is not tried again, where the caller wants a deployment to end. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  throw new CanopyError('cancelled', 'the deployment was ended by its caller', false, {
    cause: signal.reason,
  });
}
