/** Functions of `ic0` that the test canisters import. */
const IMPORTS = `
  (import "ic0" "msg_arg_data_size" (func $arg_size (result i32)))
  (import "ic0" "msg_arg_data_copy" (func $arg_copy (param i32 i32 i32)))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "msg_reject" (func $reject (param i32 i32)))
  (import "ic0" "msg_reject_msg_size" (func $reject_size (result i32)))
  (import "ic0" "msg_reject_msg_copy" (func $reject_copy (param i32 i32 i32)))
  (import "ic0" "call_new" (func $call_new (param i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "ic0" "call_on_cleanup" (func $on_cleanup (param i32 i32)))
  (import "ic0" "call_with_best_effort_response" (func $best_effort (param i32)))
  (import "ic0" "call_perform" (func $perform (result i32)))
  (import "ic0" "stable_grow" (func $stable_grow (param i32) (result i32)))
  (import "ic0" "stable_write" (func $stable_write (param i32 i32 i32)))
  (import "ic0" "stable_read" (func $stable_read (param i32 i32 i32)))
  (import "ic0" "global_timer_set" (func $timer (param i64) (result i64)))
  (import "ic0" "time" (func $time (result i64)))`;

/** Replies the 4 bytes at address 0. */
const REPLY_COUNTER = '(call $append (i32.const 0) (i32.const 4)) (call $reply)';
const COUNT = '(i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))';

/** A counter with ways to fail. */
export const COUNTER = `(module ${IMPORTS}
  (memory 1)
  (func (export "canister_update add") ${COUNT} ${REPLY_COUNTER})
  (func (export "canister_query get") ${REPLY_COUNTER})
  (func (export "canister_query add_and_get") ${COUNT} ${REPLY_COUNTER})
  (func (export "canister_update add_and_trap") ${COUNT}
    (drop (memory.grow (i32.const 3)))
    unreachable)
  (func (export "canister_update pages")
    (i32.store (i32.const 100) (memory.size))
    (call $append (i32.const 100) (i32.const 4)) (call $reply))
  (func (export "canister_update silent"))
  (func (export "canister_update no")
    (i32.store (i32.const 8) (i32.const 0x6f6e)) (call $reject (i32.const 8) (i32.const 2))))`;

/** Adds 1 and then fills memory as many times as its argument says: {@link UNIT_OF_WORK} each. */
export const WORKER = `(module ${IMPORTS}
  (memory 1)
  (func (export "canister_query get") ${REPLY_COUNTER})
  (func (export "canister_update add") ${COUNT} ${REPLY_COUNTER})
  (func (export "canister_update work") (local $left i32)
    (call $arg_copy (i32.const 16) (i32.const 0) (i32.const 4))
    ${COUNT}
    (local.set $left (i32.load (i32.const 16)))
    (loop $again
      (memory.fill (i32.const 5000) (i32.const 1) (i32.const 50000))
      (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    ${REPLY_COUNTER}))`;

/** About as many instructions as a turn of {@link WORKER} takes. */
export const UNIT_OF_WORK = 50_000;

/**
 * Calls the method in its argument (10 bytes of id, then the name) and passes the answer on: "relay"
 * plainly, "bounded" as a best-effort call of a second, "fragile" with a callback that counts and
 * traps and a cleanup that adds 100.
 */
export const RELAY = `(module ${IMPORTS}
  (memory 1)
  (table funcref (elem $replied $rejected $fragile $cleanup))
  (func $replied (param i32)
    (call $arg_copy (i32.const 1000) (i32.const 0) (call $arg_size))
    (call $append (i32.const 1000) (call $arg_size)) (call $reply))
  (func $rejected (param i32)
    (call $reject_copy (i32.const 1000) (i32.const 0) (call $reject_size))
    (call $reject (i32.const 1000) (call $reject_size)))
  (func $fragile (param i32) ${COUNT} unreachable)
  (func $cleanup (param i32)
    (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 100))))
  (func $call (param $on_reply i32)
    (call $arg_copy (i32.const 100) (i32.const 0) (call $arg_size))
    (call $call_new (i32.const 100) (i32.const 10)
      (i32.const 110) (i32.sub (call $arg_size) (i32.const 10))
      (local.get $on_reply) (i32.const 0) (i32.const 1) (i32.const 0)))
  (func (export "canister_update relay")
    (call $call (i32.const 0)) (drop (call $perform)))
  (func (export "canister_composite_query ask")
    (call $call (i32.const 0)) (drop (call $perform)))
  (func (export "canister_update bounded")
    (call $call (i32.const 0)) (call $best_effort (i32.const 1)) (drop (call $perform)))
  (func (export "canister_update fragile")
    ${COUNT}
    (call $call (i32.const 2)) (call $on_cleanup (i32.const 3) (i32.const 0))
    (drop (call $perform)))
  (func (export "canister_query get") ${REPLY_COUNTER}))`;

/** Keeps 4 bytes in stable memory over upgrades; `brokenUpgrade` traps after it. */
export const keeper = (brokenUpgrade: boolean): string => `(module ${IMPORTS}
  (memory 1)
  (func (export "canister_init") (drop (call $stable_grow (i32.const 1))))
  (func (export "canister_update add") ${COUNT} ${REPLY_COUNTER})
  (func (export "canister_query get") ${REPLY_COUNTER})
  (func (export "canister_pre_upgrade")
    (call $stable_write (i32.const 0) (i32.const 0) (i32.const 4)))
  (func (export "canister_post_upgrade")
    (call $stable_read (i32.const 0) (i32.const 0) (i32.const 4))
    ${brokenUpgrade ? 'unreachable' : ''}))`;

/** Counts heartbeats at 0 and timers, which it sets a second ahead when told to, at 4. */
export const CLOCK = `(module ${IMPORTS}
  (memory 1)
  (func (export "canister_heartbeat") ${COUNT})
  (func (export "canister_global_timer")
    (i32.store (i32.const 4) (i32.add (i32.load (i32.const 4)) (i32.const 1))))
  (func (export "canister_update set")
    (drop (call $timer (i64.add (call $time) (i64.const 1000000000)))) (call $reply))
  (func (export "canister_query get")
    (call $append (i32.const 0) (i32.const 8)) (call $reply)))`;
