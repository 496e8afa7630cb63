import { limits } from './costs/index.js';

/** Error codes of the replica (`ErrorCode`), by name. The hundreds digit is the reject code. */
export const ErrorCode = {
  SubnetOversubscribed: 101,
  MaxNumberOfCanistersReached: 102,
  CanisterQueueFull: 201,
  IngressMessageTimeout: 202,
  CanisterQueueNotEmpty: 203,
  IngressHistoryFull: 204,
  CanisterIdAlreadyExists: 205,
  StopCanisterRequestTimeout: 206,
  CanisterOutOfCycles: 207,
  CertifiedStateUnavailable: 208,
  CanisterInstallCodeRateLimited: 209,
  CanisterHeapDeltaRateLimited: 210,
  SubnetCoolingDown: 211,
  CanisterNotFound: 301,
  CanisterSnapshotNotFound: 305,
  CanisterSnapshotImmutable: 306,
  InsufficientMemoryAllocation: 402,
  InsufficientCyclesForCreateCanister: 403,
  SubnetNotFound: 404,
  CanisterNotHostedBySubnet: 405,
  CanisterRejectedMessage: 406,
  UnknownManagementMessage: 407,
  InvalidManagementPayload: 408,
  CanisterSnapshotImmutableReject: 409,
  InvalidSubnetAdmin: 410,
  CanisterTrapped: 502,
  CanisterCalledTrap: 503,
  CanisterContractViolation: 504,
  CanisterInvalidWasm: 505,
  CanisterDidNotReply: 506,
  CanisterOutOfMemory: 507,
  CanisterStopped: 508,
  CanisterStopping: 509,
  CanisterNotStopped: 510,
  CanisterStoppingCancelled: 511,
  CanisterInvalidController: 512,
  CanisterFunctionNotFound: 513,
  CanisterNonEmpty: 514,
  QueryCallGraphLoopDetected: 517,
  InsufficientCyclesInCall: 520,
  CanisterWasmEngineError: 521,
  CanisterInstructionLimitExceeded: 522,
  CanisterMemoryAccessLimitExceeded: 524,
  QueryCallGraphTooDeep: 525,
  QueryCallGraphTotalInstructionLimitExceeded: 526,
  CompositeQueryCalledInReplicatedMode: 527,
  QueryTimeLimitExceeded: 528,
  QueryCallGraphInternal: 529,
  InsufficientCyclesInComputeAllocation: 530,
  InsufficientCyclesInMemoryAllocation: 531,
  InsufficientCyclesInMemoryGrow: 532,
  ReservedCyclesLimitExceededInMemoryAllocation: 533,
  ReservedCyclesLimitExceededInMemoryGrow: 534,
  InsufficientCyclesInMessageMemoryGrow: 535,
  CanisterMethodNotFound: 536,
  CanisterWasmModuleNotFound: 537,
  CanisterAlreadyInstalled: 538,
  CanisterWasmMemoryLimitExceeded: 539,
  ReservedCyclesLimitIsTooLow: 540,
  CanisterInvalidControllerOrSubnetAdmin: 541,
  CanisterStatusAccessDenied: 542,
  DeadlineExpired: 601,
  ResponseDropped: 602,
} as const;

/** Number of one of the replica's error codes. */
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

const NAMES = new Map<number, string>(
  Object.entries(ErrorCode).map(([name, code]) => [code, name]),
);

/** Name of an error code (`CanisterTrapped`), or its number as text if it has none. */
export function errorCodeName(code: number): string {
  return NAMES.get(code) ?? String(code);
}

/** Reject codes of the IC interface specification. */
export const RejectCode = {
  SysFatal: 1,
  SysTransient: 2,
  DestinationInvalid: 3,
  CanisterReject: 4,
  CanisterError: 5,
  SysUnknown: 6,
} as const;

/** Number of a reject code of the interface specification, 1 to 6. */
export type RejectCode = (typeof RejectCode)[keyof typeof RejectCode];

/** Name of a reject code (`CanisterError`). */
export function rejectCodeName(code: RejectCode): string {
  return Object.entries(RejectCode).find(([, value]) => value === code)![0];
}

/** Reject code that belongs to an error code. */
export function rejectCodeOf(code: ErrorCode): RejectCode {
  return Math.floor(code / 100) as RejectCode;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * A text of at most `limit` bytes of UTF-8, cut as the replica cuts long texts: what lies behind the
 * first `prefixPercent` gives way to `...`, and the end of the text follows.
 */
export function limitText(text: string, limit: number, prefixPercent: number): string {
  if (text.length * 3 <= limit) return text;
  const bytes = encoder.encode(text);
  if (bytes.length <= limit) return text;
  let head = Math.floor((limit * prefixPercent) / 100);
  let tail = bytes.length - (limit - head - 3);
  while (head > 0 && (bytes[head]! & 0xc0) === 0x80) head--;
  while (tail < bytes.length && (bytes[tail]! & 0xc0) === 0x80) tail++;
  return `${decoder.decode(bytes.subarray(0, head))}...${decoder.decode(bytes.subarray(tail))}`;
}

/** Longest text of an error and of a reject that a canister receives, in bytes of UTF-8. */
export const MAX_ERROR_TEXT_BYTES = limits.messages.rejectMessageBytes;
/** How much of a longer error comes from its beginning, in percent. */
const ERROR_PREFIX = 50;

/**
 * A failure that a caller sees: the answer of an ingress message, a query or a call.
 * `message` is the replica's text, shortened like the replica's when it is very long.
 */
export class UserError extends Error {
  override readonly name = 'UserError';

  constructor(
    readonly code: ErrorCode,
    text: string,
  ) {
    super(limitText(text, MAX_ERROR_TEXT_BYTES, ERROR_PREFIX));
  }

  /** What a canister said with `msg_reject`, which is kept whole for callers from outside. */
  static rejectedBy(canisterText: string): UserError {
    const error = new UserError(ErrorCode.CanisterRejectedMessage, '');
    error.message = canisterText;
    return error;
  }

  /** Reject code of the interface specification. */
  get rejectCode(): RejectCode {
    return rejectCodeOf(this.code);
  }

  /** `IC0502` and the like, as error codes are written in HTTP answers. */
  get codeText(): string {
    return `IC${String(this.code).padStart(4, '0')}`;
  }
}

/** Wrong use of the library itself, or a message that no subnet takes (HTTP 400 of a server). */
export class IcError extends Error {
  override readonly name = 'IcError';

  /** `code` is stable: 'BadIngressMessage', 'CanisterNotFound', 'SubnetNotFound', …. */
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}
