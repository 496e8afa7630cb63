/** Answers of the message at work, and who sent it. */
import { CanisterError } from '../generated/constants';
import { errorCode, errorLength, errorText, fail, text } from '../tensor/errors';
import { isCoordinator, isWorker } from './config';
import {
  canister_self_copy,
  canister_self_size,
  is_controller,
  msg_caller_copy,
  msg_caller_size,
  msg_reject,
  msg_reply,
} from './ic0';

const principalBytes: usize = 29;
const caller = memory.data(32, 8);
const self = memory.data(32, 8);
let callerLength: usize = 0;

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

function readCaller(): void {
  callerLength = min(msg_caller_size(), principalBytes);
  msg_caller_copy(caller, 0, callerLength);
}

function refuse(who: string): bool {
  fail(CanisterError.notAuthorised);
  text('only ');
  text(who);
  text(' may call this method of a worker');
  rejectFailure();
  return false;
}

/** True for the coordinator and the controllers; others are rejected. */
export function fromCoordinator(): bool {
  readCaller();
  if (isCoordinator(caller, callerLength)) return true;
  if (is_controller(caller, callerLength) == 1) return true;
  return refuse('its coordinator and its controllers');
}

/** True for the workers of the same pipeline; others are rejected. */
export function fromWorker(): bool {
  readCaller();
  if (isWorker(caller, callerLength)) return true;
  return refuse('a worker of the same pipeline');
}

/** True for the canister itself; others are rejected. */
export function fromSelf(): bool {
  readCaller();
  const length = readSelf();
  if (callerLength == length && memory.compare(caller, self, length) == 0) return true;
  return refuse('the worker itself');
}

/** Copies this canister's principal to {@link selfPrincipal} and returns its length. */
export function readSelf(): usize {
  const length = canister_self_size();
  canister_self_copy(self, 0, length);
  return length;
}
export function selfPrincipal(): usize {
  return self;
}
