import { CanisterError, parseCanisterError, type CanisterErrorCode } from '@canopy/protocol';

/** Codes of {@link CanopyError}: those of the canisters, and what can go wrong on this side. */
export type CanopyErrorCode =
  | CanisterErrorCode
  /** A feed or fetch that the model does not have, or of another type. */
  | 'bad-feeds'
  /** A plan, manifest or option that cannot be used. */
  | 'bad-deployment'
  /** The IC refused the call; the text is the replica's. */
  | 'rejected'
  /** It did not end within the time allowed. */
  | 'timeout';

/** What every failure of this package is. */
export class CanopyError extends Error {
  override readonly name = 'CanopyError';
  constructor(
    readonly code: CanopyErrorCode,
    message: string,
    /** Whether the same call may succeed later. */
    readonly retryable = false,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A call that was rejected, as transports report it. */
export class CallRejected extends Error {
  override readonly name = 'CallRejected';
  constructor(
    /** Reject code of the interface specification, 1 to 6; 0 where it is not known. */
    readonly rejectCode: number,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What is wrong; agents put stack traces and whole requests into the lines below. */
export function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n', 1)[0] ?? '';
}

/** Reject code by which the replica says that trying again may help. */
const sysTransient = 2;

/**
 * Makes a {@link CanopyError} of whatever a transport threw. `what` says what was tried, for the text.
 * A rejection `[code] text` of a canister keeps its code.
 */
export function toCanopyError(error: unknown, what: string): CanopyError {
  if (error instanceof CanopyError) return error;
  if (error instanceof CallRejected) {
    const { message } = error;
    const known = parseCanisterError(message);
    return known
      ? new CanopyError(known.code, `${what}: ${known.message}`, known.retryable, { cause: error })
      : new CanopyError('rejected', `${what}: ${message}`, error.rejectCode === sysTransient, {
          cause: error,
        });
  }
  return new CanopyError(
    CanisterError.unreachable.code,
    `${what}: ${firstLine(error)}`,
    CanisterError.unreachable.retryable,
    { cause: error },
  );
}
