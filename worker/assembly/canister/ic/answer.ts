/** Answers to the message at work. */
import { CanisterError } from '../../generated/constants';
import { errorCode, errorLength, errorText, fail, text } from '../../tensor/errors';
import {
  canister_self_copy,
  canister_self_size,
  msg_reject,
  msg_reply,
} from './ic0';

const self = memory.data(32, 8);

/** `[code] text`, as rejections and failures carry it. */
const composed = memory.data(2112, 8);
const composedCapacity: u32 = 2112;
let composedLength: u32 = 0;

function put(byte: u32): void {
  if (composedLength < composedCapacity) store<u8>(composed + composedLength++, <u8>byte);
}

/** Writes the failure of `tensor/errors` as `[code] text`; returns where, see {@link failureLength}. */
export function composeFailure(): usize {
  composedLength = 0;
  const code = errorCode();
  put(0x5b);
  for (let i = 0; i < code.length; i++) put(code.charCodeAt(i));
  put(0x5d);
  put(0x20);
  const from = errorText();
  for (let i: u32 = 0; i < errorLength(); i++) put(load<u8>(from + i));
  return composed;
}
export function failureLength(): u32 {
  return composedLength;
}

/** Rejects the message with the failure of `tensor/errors`. */
export function rejectFailure(): void {
  const bytes = composeFailure();
  msg_reject(bytes, failureLength());
}

/** Rejects with `[code] reason`. */
export function reject(code: string, reason: string): void {
  fail(code);
  text(reason);
  rejectFailure();
}

export function replyEmpty(): void {
  msg_reply();
}

/** Length of this canister's principal, which lies at {@link selfPrincipal}; it is read once. */
export function readSelf(): usize {
  if (selfLength == 0) {
    selfLength = canister_self_size();
    canister_self_copy(self, 0, selfLength);
  }
  return selfLength;
}
let selfLength: usize = 0;
export function selfPrincipal(): usize {
  return self;
}
