import wabt from 'wabt';

/** The method of {@link proxyCanister}. */
export const forward = 'forward';

const source = `(module
  (import "ic0" "msg_arg_data_size" (func $arg_size (result i32)))
  (import "ic0" "msg_arg_data_copy" (func $arg_copy (param i32 i32 i32)))
  (import "ic0" "msg_reject_code" (func $reject_code (result i32)))
  (import "ic0" "msg_reject_msg_size" (func $reject_size (result i32)))
  (import "ic0" "msg_reject_msg_copy" (func $reject_copy (param i32 i32 i32)))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "call_new" (func $call_new (param i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "ic0" "call_data_append" (func $data (param i32 i32)))
  (import "ic0" "call_perform" (func $perform (result i32)))
  (memory 64)
  (table funcref (elem $replied $rejected))
  (func $replied (param i32)
    (i32.store8 (i32.const 0) (i32.const 0))
    (call $arg_copy (i32.const 1) (i32.const 0) (call $arg_size))
    (call $append (i32.const 0) (i32.add (call $arg_size) (i32.const 1)))
    (call $reply))
  (func $rejected (param i32)
    (i32.store8 (i32.const 0) (call $reject_code))
    (call $reject_copy (i32.const 1) (i32.const 0) (call $reject_size))
    (call $append (i32.const 0) (i32.add (call $reject_size) (i32.const 1)))
    (call $reply))
  (func (export "canister_update ${forward}") (local $name i32) (local $arg i32)
    (call $arg_copy (i32.const 0) (i32.const 0) (call $arg_size))
    (local.set $name (i32.add (i32.load8_u (i32.const 0)) (i32.const 1)))
    (local.set $arg (i32.add (local.get $name)
      (i32.add (i32.load8_u (local.get $name)) (i32.const 1))))
    (call $call_new
      (i32.const 1) (i32.load8_u (i32.const 0))
      (i32.add (local.get $name) (i32.const 1)) (i32.load8_u (local.get $name))
      (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0))
    (call $data (local.get $arg) (i32.sub (call $arg_size) (local.get $arg)))
    (drop (call $perform)))
)`;

/** A canister that calls others as it is told, so that tests can call as a canister. */
export async function proxyCanister(): Promise<Uint8Array> {
  return (await wabt()).parseWat('proxy.wat', source).toBinary({}).buffer;
}

/** What `forward` is told: callee, method, argument. */
export function forwardArgument(callee: Uint8Array, method: string, arg: Uint8Array): Uint8Array {
  const name = new TextEncoder().encode(method);
  return Uint8Array.of(callee.length, ...callee, name.length, ...name, ...arg);
}

/** What came of a forwarded call. */
export type Forwarded = { reply: Uint8Array } | { code: number; text: string };

export function readForwarded(bytes: Uint8Array): Forwarded {
  const content = bytes.slice(1);
  return bytes[0] === 0
    ? { reply: content }
    : { code: bytes[0]!, text: new TextDecoder().decode(content) };
}
