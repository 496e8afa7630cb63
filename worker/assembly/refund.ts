/**
 * A canister that sends its cycles to the cycles ledger, before it is deleted. Installed in the place of
 * whatever was there.
 */
import {
  call_data_append,
  call_new,
  call_perform,
  is_controller,
  msg_arg_data_copy,
  msg_arg_data_size,
  msg_caller_copy,
  msg_caller_size,
  msg_reject,
  msg_reply,
} from './canister/ic/ic0';

@external('ic0', 'canister_cycle_balance128')
declare function canister_cycle_balance128(dst: usize): void;
@external('ic0', 'call_cycles_add128')
declare function call_cycles_add128(high: u64, low: u64): void;
@external('ic0', 'cost_call')
declare function cost_call(nameSize: u64, payloadSize: u64, dst: usize): void;

/** `deposit`, the method of the cycles ledger. */
const method = memory.data<u8>([100, 101, 112, 111, 115, 105, 116]);
const methodSize: usize = 7;
const caller = memory.data(32, 8);
/** The ledger's principal with its length before, then the argument of the method. */
const argument = memory.data(256, 8);
const argumentCapacity: usize = 256;
/** Numbers of 128 bits. */
const balance = memory.data(16, 16);
const cost = memory.data(16, 16);
/** `no`, in a rejection. */
const refusal = memory.data<u8>([110, 111]);

/** Answers the one call that waits, with nothing: the ledger's account shows what came. */
export function callback_reply(env: i32): void {
  msg_reply();
}

export function callback_reject(env: i32): void {
  msg_reject(refusal, 2);
}

/** Referring to them puts them into the table. */
const replyIndex: i32 = callback_reply.index;
const rejectIndex: i32 = callback_reject.index;

/** Sends what is left beside the price of the call. Rejects where there is nothing left, or it is no controller's. */
export function update_give_back(): void {
  const callerSize = msg_caller_size();
  msg_caller_copy(caller, 0, callerSize);
  const size = msg_arg_data_size();
  if (is_controller(caller, callerSize) == 0 || size > argumentCapacity) {
    msg_reject(refusal, 2);
    return;
  }
  msg_arg_data_copy(argument, 0, size);
  const ledgerSize: usize = load<u8>(argument);
  const payload = argument + 1 + ledgerSize;
  const payloadSize = size - 1 - ledgerSize;
  cost_call(methodSize, payloadSize, cost);
  canister_cycle_balance128(balance);
  const low = load<u64>(balance);
  const high = load<u64>(balance, 8);
  const price = load<u64>(cost);
  if (high == 0 && low <= price) {
    msg_reject(refusal, 2);
    return;
  }
  call_new(argument + 1, ledgerSize, method, methodSize, replyIndex, 0, rejectIndex, 0);
  call_data_append(payload, payloadSize);
  call_cycles_add128(low < price ? high - 1 : high, low - price);
  if (call_perform() != 0) msg_reject(refusal, 2);
}
