import type { RejectCode } from '../errors.js';

/** An update call from outside, accepted and waiting in its canister's queue. */
export interface Ingress {
  readonly kind: 'ingress';
  readonly messageId: Uint8Array;
  /** Hex of `messageId`. */
  readonly messageKey: string;
  readonly sender: Uint8Array;
  readonly receiver: Uint8Array;
  readonly method: string;
  readonly arg: Uint8Array;
  /** Nanoseconds since 1970. */
  readonly expiry: bigint;
}

/** A call of one canister to another, or to the management canister (empty `receiver`). */
export interface Request {
  readonly kind: 'request';
  readonly sender: Uint8Array;
  readonly receiver: Uint8Array;
  /** Callback of the sender that the response is for. */
  readonly callbackId: number;
  readonly method: string;
  readonly arg: Uint8Array;
  /** Cycles attached. */
  readonly cycles: bigint;
  /** Nanoseconds since 1970; 0n for a guaranteed response. */
  readonly deadline: bigint;
}

/** What a call is answered with. */
export type Payload =
  | { readonly kind: 'reply'; readonly data: Uint8Array }
  | { readonly kind: 'reject'; readonly code: RejectCode; readonly message: string };

/** The answer to a {@link Request}. */
export interface Response {
  readonly kind: 'response';
  /** The canister that made the call. */
  readonly originator: Uint8Array;
  readonly respondent: Uint8Array;
  readonly callbackId: number;
  /** Cycles given back: attached and not accepted. */
  readonly refund: bigint;
  readonly deadline: bigint;
  readonly payload: Payload;
}

/** Bytes that a request's payload counts: method name and argument. */
export function requestPayloadBytes(method: string, arg: Uint8Array): number {
  return Buffer.byteLength(method) + arg.length;
}

/** Bytes that a response's payload counts; a reject's code is one. */
export function responsePayloadBytes(payload: Payload): number {
  return payload.kind === 'reply' ? payload.data.length : Buffer.byteLength(payload.message) + 1;
}
