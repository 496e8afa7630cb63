import { CanisterError, parseCanisterError } from '@canopy/protocol';
import { CoordinatorError } from '../error.js';
import { CallFailure, type Ic, type PrincipalLike } from '../ic/ic.js';

/** What a caller is told when a call to `worker` was rejected. */
export function describeCallFailure(
  failure: CallFailure,
  worker: PrincipalLike,
  stage: number,
): CoordinatorError {
  const place = `stage ${stage} (worker ${worker.toText()})`;
  const known = parseCanisterError(failure.message);
  if (known && isStranger(known)) {
    return new CoordinatorError(
      { ...CanisterError.notConfigured, retryable: false },
      `${place} does not know this coordinator (${known.message}): it was installed anew or ` +
        'configured for another one; deploy the model again',
    );
  }
  if (known) return new CoordinatorError(known, `${place}: ${known.message}`);
  return new CoordinatorError(kindOf(failure), `${place}: ${failure.message}`);
}

/** What a worker answers to a coordinator that is not its own; an empty worker has none. */
const strangers = new Set<string>([
  CanisterError.notAuthorised.code,
  CanisterError.notConfigured.code,
]);

/** Whether a worker answers so because it was installed anew or configured for another coordinator. */
export function isStranger({ code }: { code: string }): boolean {
  return strangers.has(code);
}

/** Reject codes of the interface specification. */
const canisterReject = 4;
const canisterError = 5;

/** What the replica answers for a canister without code, and for calls that its code did not answer. */
const isEmpty = /\bno wasm module\b|\bhas been uninstalled\b/i;

function kindOf({ rejectCode, message }: CallFailure): { code: string; retryable: boolean } {
  if (isEmpty.test(message)) return { ...CanisterError.notConfigured, retryable: false };
  if (rejectCode === canisterReject) return CanisterError.internal;
  // The replica gives a stopped canister and one that traps the same code; only the text differs.
  const stopped = /\bstopp(?:ed|ing)\b|\bis not running\b/.test(message);
  return rejectCode === canisterError && !stopped
    ? CanisterError.trapped
    : CanisterError.unreachable;
}

/** Calls a worker. Throws {@link CoordinatorError} with the stage in its text. */
export async function callWorker(
  ic: Ic,
  worker: PrincipalLike,
  stage: number,
  method: string,
  bytes: Uint8Array,
): Promise<Uint8Array> {
  try {
    return await ic.call(worker, method, bytes);
  } catch (error) {
    throw error instanceof CallFailure ? describeCallFailure(error, worker, stage) : error;
  }
}
