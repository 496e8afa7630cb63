/** The system interface, as in the Interface Specification, "System API". Sizes and offsets in bytes. */

@external('ic0', 'msg_arg_data_size')
export declare function msg_arg_data_size(): usize;
@external('ic0', 'msg_arg_data_copy')
export declare function msg_arg_data_copy(dst: usize, offset: usize, size: usize): void;
@external('ic0', 'msg_caller_size')
export declare function msg_caller_size(): usize;
@external('ic0', 'msg_caller_copy')
export declare function msg_caller_copy(dst: usize, offset: usize, size: usize): void;
@external('ic0', 'msg_method_name_size')
export declare function msg_method_name_size(): usize;
@external('ic0', 'msg_method_name_copy')
export declare function msg_method_name_copy(dst: usize, offset: usize, size: usize): void;
/** Only in `canister_inspect_message`: the message is taken. */
@external('ic0', 'accept_message')
export declare function accept_message(): void;
@external('ic0', 'msg_reply_data_append')
export declare function msg_reply_data_append(src: usize, size: usize): void;
@external('ic0', 'msg_reply')
export declare function msg_reply(): void;
@external('ic0', 'msg_reject')
export declare function msg_reject(src: usize, size: usize): void;
@external('ic0', 'msg_reject_code')
export declare function msg_reject_code(): i32;
@external('ic0', 'msg_reject_msg_size')
export declare function msg_reject_msg_size(): usize;
@external('ic0', 'msg_reject_msg_copy')
export declare function msg_reject_msg_copy(dst: usize, offset: usize, size: usize): void;
@external('ic0', 'canister_self_size')
export declare function canister_self_size(): usize;
@external('ic0', 'canister_self_copy')
export declare function canister_self_copy(dst: usize, offset: usize, size: usize): void;
/** Writes 16 bytes at `dst`. */
@external('ic0', 'canister_cycle_balance128')
export declare function canister_cycle_balance128(dst: usize): void;
/** The part of the balance above the freezing threshold; writes 16 bytes at `dst`. */
@external('ic0', 'canister_liquid_cycle_balance128')
export declare function canister_liquid_cycle_balance128(dst: usize): void;
@external('ic0', 'canister_status')
export declare function canister_status(): i32;
@external('ic0', 'is_controller')
export declare function is_controller(src: usize, size: usize): i32;
@external('ic0', 'call_new')
export declare function call_new(
  callee: usize,
  calleeSize: usize,
  name: usize,
  nameSize: usize,
  replyFunction: i32,
  replyEnv: i32,
  rejectFunction: i32,
  rejectEnv: i32,
): void;
@external('ic0', 'call_data_append')
export declare function call_data_append(src: usize, size: usize): void;
/** 0 when the call is on its way; otherwise nothing was sent. */
@external('ic0', 'call_perform')
export declare function call_perform(): i32;
/** Nanoseconds since 1970; 0 switches the timer off. Returns what was set before. */
@external('ic0', 'global_timer_set')
export declare function global_timer_set(timestamp: i64): i64;
/** Nanoseconds since 1970. */
@external('ic0', 'time')
export declare function time(): u64;
/** 0: instructions of this message so far. */
@external('ic0', 'performance_counter')
export declare function performance_counter(type: i32): u64;
@external('ic0', 'trap')
/** Ends the message; all it changed is as it was. */
export declare function trap(src: usize, size: usize): void;

/** What the compiler calls where a check of the language fails: a bug in the worker. */
export function abort(
  message: string | null,
  file: string | null,
  line: u32,
  column: u32,
): void {
  const text = memory.data<u8>([0x62, 0x75, 0x67]);
  trap(text, 3);
}
