import { describe, expect, it } from 'vitest';
import { ErrorCode } from '../errors.js';
import { principalToText } from '../principal.js';
import { TestIc } from './testing/test-ic.js';

const clock = `(module
  (import "ic0" "time" (func $time (result i64)))
  (import "ic0" "accept_message" (func $accept))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_reply" (func $reply))
  (memory 1)
  (func $now (i64.store (i32.const 0) (call $time)) (call $append (i32.const 0) (i32.const 8)) (call $reply))
  (func (export "canister_inspect_message")
    (if (i64.lt_u (call $time) (i64.load (i32.const 8))) (then (call $accept))))
  (func (export "canister_update refuse_from_now")
    (i64.store (i32.const 8) (i64.add (call $time) (i64.const 1))) (call $now))
  (func (export "canister_init") (i64.store (i32.const 8) (i64.const -1)))
  (func (export "canister_update now") (call $now))
  (func (export "canister_query now_query") (call $now)))`;

const timeOf = (reply: Uint8Array): bigint => Buffer.from(reply).readBigUInt64LE();

describe('time', () => {
  it('that is set shows in the next round, not in queries and inspections before', () => {
    const test = new TestIc();
    const canister = test.create(clock);
    const before = timeOf(test.update(canister, 'now'));
    test.ic.advanceTime(3_600_000_000_000n);
    expect(timeOf(test.query(canister, 'now_query'))).toBe(before);
    const after = timeOf(test.update(canister, 'now'));
    expect(after).toBe(before + 3_600_000_000_000n);
    expect(timeOf(test.query(canister, 'now_query'))).toBe(after);
    test.update(canister, 'refuse_from_now');
    test.ic.advanceTime(1_000_000_000n);
    expect(() => test.submit(canister, 'now')).not.toThrow();
  });
});

/** Waits for a canister that answers after many rounds. */
const waiting = `(module
  (import "ic0" "call_new" (func $new (param i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "ic0" "call_perform" (func $perform (result i32)))
  (import "ic0" "msg_arg_data_copy" (func $arg_copy (param i32 i32 i32)))
  (import "ic0" "msg_reply" (func $reply))
  (memory 1) (table funcref (elem $done)) (data (i32.const 0) "slow")
  (func $done (param i32) (call $reply))
  (func (export "canister_update wait")
    (call $arg_copy (i32.const 16) (i32.const 0) (i32.const 10))
    (call $new (i32.const 16) (i32.const 10) (i32.const 0) (i32.const 4)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
    (drop (call $perform)))
  (func (export "canister_query answer") (call $reply)))`;
/** Takes several rounds: `memory.size` counts 20 instructions. */
const slow = `(module
  (import "ic0" "msg_reply" (func $reply))
  (memory 1)
  (func (export "canister_update slow") (local $n i64)
    (loop $again
      ${'(drop (memory.size)) '.repeat(20)}
      (local.set $n (i64.add (local.get $n) (i64.const 1)))
      (br_if $again (i64.lt_u (local.get $n) (i64.const 15000000))))
    (call $reply)))`;

describe('a query', () => {
  it('finds a stopping canister not running, after its method was found', () => {
    const test = new TestIc();
    const canister = test.create(waiting);
    const message = test.submit(canister, 'wait', test.create(slow));
    test.ic.tick();
    test.submitStop(canister);
    test.ic.tick();
    const { code, message: text } = test.failure(() => test.query(canister, 'answer'));
    expect(code).toBe(ErrorCode.CanisterStopping);
    expect(text).toBe(`Canister ${principalToText(canister)} is not running`);
    expect(test.failure(() => test.query(canister, 'other')).code).toBe(
      ErrorCode.CanisterMethodNotFound,
    );
    test.await(message);
    test.ic.tick();
    for (const method of ['answer', 'other']) {
      const stopped = test.failure(() => test.query(canister, method));
      expect(stopped.code).toBe(ErrorCode.CanisterStopped);
      expect(stopped.message).toContain('does not have a CallContextManager');
    }
  });

  it('of a frozen canister names the missing method first', () => {
    const test = new TestIc();
    const canister = test.create(waiting, {}, 1_000_000_000_000n);
    test.updateSettings(canister, { freezing_threshold: 10n ** 12n });
    expect(test.failure(() => test.query(canister, 'other')).code).toBe(
      ErrorCode.CanisterMethodNotFound,
    );
    expect(test.failure(() => test.query(canister, 'answer')).code).toBe(
      ErrorCode.CanisterOutOfCycles,
    );
    expect(test.failure(() => test.query(test.create(), 'answer')).code).toBe(
      ErrorCode.CanisterWasmModuleNotFound,
    );
  });
});

/** Calls the management canister from a composite query; replies the text that its reject callback sees. */
const manager = (method: string, argument: string): string => `(module
  (import "ic0" "call_new" (func $new (param i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "ic0" "call_data_append" (func $data (param i32 i32)))
  (import "ic0" "call_perform" (func $perform (result i32)))
  (import "ic0" "msg_reject_msg_size" (func $size (result i32)))
  (import "ic0" "msg_reject_msg_copy" (func $copy (param i32 i32 i32)))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_reply" (func $reply))
  (memory 1) (table funcref (elem $rejected))
  (data (i32.const 0) "${method}") (data (i32.const 100) "${argument}")
  (func $rejected (param i32)
    (call $copy (i32.const 500) (i32.const 0) (call $size))
    (call $append (i32.const 500) (call $size)) (call $reply))
  (func (export "canister_composite_query run")
    (call $new (i32.const 0) (i32.const 0) (i32.const 0) (i32.const ${method.length})
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
    (call $data (i32.const 100) (i32.const ${argument.replace(/\\../g, '.').length}))
    (drop (call $perform))))`;

describe('a composite query', () => {
  const NOTHING = 'DIDL\\00\\00';

  it('finds no management canister: its calls go to a subnet', () => {
    const test = new TestIc();
    const subnet = principalToText(test.ic.subnets[0]!.id);
    const reply = test.query(test.create(manager('raw_rand', NOTHING)), 'run');
    expect(Buffer.from(reply).toString()).toBe(`Canister ${subnet} not found`);
  });

  it('hears nothing of a call that no subnet takes', () => {
    const test = new TestIc();
    for (const method of ['no_such_method', 'canister_status']) {
      const canister = test.create(manager(method, NOTHING));
      const failure = test.failure(() => test.query(canister, 'run'));
      expect(failure.code).toBe(ErrorCode.CanisterDidNotReply);
      expect(failure.message).toMatch(/did not produce a response$/);
    }
  });
});
