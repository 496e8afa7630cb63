/** Calls to workers and to oneself. */
import { call_new } from './ic0';
import { environment } from './ids';
import { readSelf, selfPrincipal } from './answer';

/** Table indexes of the call-back functions; the build checks them. */
const replyFunction: i32 = 1;
const rejectFunction: i32 = 2;

export const stepName = memory.data<u8>([0x73, 0x74, 0x65, 0x70]);
export const wakeName = memory.data<u8>([0x77, 0x61, 0x6b, 0x65]);
export const runName = memory.data<u8>([0x72, 0x75, 0x6e]);
export const doneName = memory.data<u8>([0x64, 0x6f, 0x6e, 0x65]);
export const newsName = memory.data<u8>([0x6e, 0x65, 0x77, 0x73]);
export const failName = memory.data<u8>([0x66, 0x61, 0x69, 0x6c]);

/** Begins a call of `name` on a canister; its principal: a length byte, then the bytes. */
export function callCanister(
  callee: usize,
  name: usize,
  nameLength: u32,
  kind: u32,
  id: u32,
): void {
  const env = environment(kind, id);
  call_new(callee + 1, load<u8>(callee), name, nameLength, replyFunction, env, rejectFunction, env);
}

/** Begins a call of `name`, 4 letters, on this canister. */
export function callSelf(name: usize, kind: u32, id: u32): void {
  const length = readSelf();
  const env = environment(kind, id);
  call_new(selfPrincipal(), length, name, 4, replyFunction, env, rejectFunction, env);
}
