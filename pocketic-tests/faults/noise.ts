import wabt from 'wabt';

/**
 * A canister whose heartbeat takes some of each round's instructions, so that rounds end after one or two
 * iterations and work is under way at their borders. What it takes is copying 1.9 MB into calls that are
 * never sent. `set` takes three u32: how many copies at most besides `base`, a seed, and `base`.
 */
const text = `(module
  (import "ic0" "call_new" (func $call_new (param i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "ic0" "call_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_arg_data_copy" (func $copy (param i32 i32 i32)))
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "canister_self_copy" (func $self (param i32 i32 i32)))
  (import "ic0" "canister_self_size" (func $self_size (result i32)))
  (memory (export "memory") 40)
  (global $most (mut i32) (i32.const 0))
  (global $state (mut i32) (i32.const 1))
  (global $base (mut i32) (i32.const 0))
  (func $take (param $copies i32)
    (block $end (loop $next
      (br_if $end (i32.eqz (local.get $copies)))
      (call $call_new (i32.const 0) (call $self_size) (i32.const 64) (i32.const 3)
        (i32.const -1) (i32.const 0) (i32.const -1) (i32.const 0))
      (call $append (i32.const 65536) (i32.const 1900000))
      (local.set $copies (i32.sub (local.get $copies) (i32.const 1)))
      (br $next))))
  (func (export "canister_heartbeat")
    (if (i32.eqz (i32.or (global.get $most) (global.get $base))) (then (return)))
    (global.set $state
      (i32.add (i32.mul (global.get $state) (i32.const 1664525)) (i32.const 1013904223)))
    (call $take (i32.add (global.get $base)
      (i32.rem_u (i32.shr_u (global.get $state) (i32.const 8))
        (i32.add (global.get $most) (i32.const 1))))))
  (func (export "canister_update set")
    (call $self (i32.const 0) (i32.const 0) (call $self_size))
    (call $copy (i32.const 128) (i32.const 0) (i32.const 12))
    (global.set $most (i32.load (i32.const 128)))
    (global.set $state (i32.load (i32.const 132)))
    (global.set $base (i32.load (i32.const 136)))
    (call $reply))
  (data (i32.const 64) "set"))`;

/** The module. */
export async function noiseModule(): Promise<Uint8Array> {
  const parsed = (await wabt()).parseWat('noise.wat', text);
  try {
    return parsed.toBinary({}).buffer;
  } finally {
    parsed.destroy();
  }
}

/** Levels of noise: most copies besides the base, and the base. */
export const noiseLevels = [
  [0, 0],
  [22, 0],
  [4, 20],
  [8, 18],
] as const;
