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
  if (known) return new CoordinatorError(known, `${place}: ${known.message}`);
  const trapped = failure.rejectCode === 4 || failure.rejectCode === 5;
  return new CoordinatorError(
    trapped ? CanisterError.trapped : CanisterError.unreachable,
    `${place}: ${failure.message}`,
  );
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
