import {
  CanisterError,
  ProtocolError,
  parseCanisterError,
  type CanisterErrorCode,
} from '@canopy/protocol';
import { httpStatusOf, isNetworkFault, isUnknownHost, isUntrusted } from './faults.js';

/** Codes of {@link CanopyError}: those of the canisters, and what can go wrong on this side. */
export type CanopyErrorCode =
  | CanisterErrorCode
  /** A feed or fetch that the model does not have, or of another type. */
  | 'bad-feeds'
  /** A plan, manifest or option that cannot be used. */
  | 'bad-deployment'
  /** A key that cannot be used as an identity. */
  | 'bad-identity'
  /** Deploying as anonymous to a network that is not one's own. */
  | 'anonymous'
  /** The account at the cycles ledger holds too little. */
  | 'no-cycles'
  /** The IC refused the call; the text is the replica's. */
  | 'rejected'
  /** The canister is stopped, as while it is upgraded: the call was not carried out. */
  | 'stopped'
  /** An answer came that does not follow the canister's interface. */
  | 'bad-reply'
  /** An answer came whose signature is not that of the network. */
  | 'untrusted'
  /** It did not end within the time allowed. */
  | 'timeout'
  /** The caller's signal aborted it. */
  | 'aborted'
  /** An error of this program, or one that is not known: the cause has it. */
  | 'unexpected';

/** What every failure of this package is. */
export class CanopyError extends Error {
  override readonly name: string = 'CanopyError';
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

/** The IC was not reached, or the answer was lost on its way: the call may have been carried out. */
export class UnreachableError extends CanopyError {
  override readonly name = 'UnreachableError';
  constructor(message: string, options?: ErrorOptions) {
    super(CanisterError.unreachable.code, message, true, options);
  }
}

/** It did not end within the time allowed. */
export class TimeoutError extends CanopyError {
  override readonly name = 'TimeoutError';
  constructor(message: string, options?: ErrorOptions) {
    super('timeout', message, true, options);
  }
}

/** The caller's signal aborted it; `cause` is the signal's reason. */
export class AbortError extends CanopyError {
  override readonly name = 'AbortError';
  constructor(message: string, options?: ErrorOptions) {
    super('aborted', message, false, options);
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

/** Whether a canister did not take a message, so that nothing was carried out; the replica does not say why. */
export function isRefusal(error: unknown): boolean {
  return error instanceof CallRejected && error.message.includes('rejected the message');
}

/** Reject code by which the replica says that trying again may help. */
const sysTransient = 2;
/** Reject code of a canister that does not run, and of one that traps: only the texts differ. */
const canisterError = 5;
const notRunning = /\bis stopp(?:ed|ing)\b|\bis not running\b/;

/**
 * Makes a {@link CanopyError} of whatever a transport threw. `what` says what was tried, for the text.
 * A rejection `[code] text` of a canister keeps its code. Only what is known to be a fault on the way is
 * an {@link UnreachableError}; all else is not worth another try.
 */
export function toCanopyError(error: unknown, what: string): CanopyError {
  if (error instanceof CanopyError) return error;
  const cause = { cause: error };
  if (error instanceof CallRejected) return rejected(error, what);
  if (error instanceof ProtocolError) {
    const text = `${what}: the answer does not follow the interface (${error.message}): is it another release?`;
    return new CanopyError('bad-reply', text, false, cause);
  }
  if (isUntrusted(error)) {
    const text =
      `${what}: the answer is not signed by the network that this client trusts (${firstLine(error)}): ` +
      'check the address, and take the root key from the host only on a network of your own';
    return new CanopyError('untrusted', text, false, cause);
  }
  const status = httpStatusOf(error);
  if (isNetworkFault(error)) return new UnreachableError(`${what}: ${reasonOf(error)}`, cause);
  if (isUnknownHost(error)) {
    const text = `${what}: there is no host of that name (${reasonOf(error)}): check the address`;
    return new CanopyError('unreachable', text, false, cause);
  }
  if (status !== undefined) {
    return new CanopyError(
      'rejected',
      `${what}: HTTP status ${status}: ${reasonOf(error)}`,
      false,
      cause,
    );
  }
  return new CanopyError('unexpected', `${what}: ${reasonOf(error)}`, false, cause);
}

function rejected(error: CallRejected, what: string): CanopyError {
  const { message } = error;
  const cause = { cause: error };
  const known = parseCanisterError(message);
  if (known)
    return new CanopyError(known.code, `${what}: ${known.message}`, known.retryable, cause);
  const text = `${what}: ${message}`;
  if (error.rejectCode === canisterError && notRunning.test(message)) {
    return new CanopyError('stopped', text, true, cause);
  }
  return new CanopyError('rejected', text, error.rejectCode === sysTransient, cause);
}

/** The first line of an error and of what caused it: `fetch failed` alone says nothing. */
function reasonOf(error: unknown): string {
  const texts: string[] = [];
  for (let at = error, depth = 0; at !== undefined && at !== null && depth < 4; depth++) {
    const line = at instanceof Error || typeof at === 'string' ? firstLine(at) : '';
    if (line !== '' && !texts.some((text) => text.includes(line))) texts.push(line);
    at = at instanceof Error ? at.cause : undefined;
  }
  return texts.join(': ');
}
