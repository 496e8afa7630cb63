import { describe, expect, it } from 'vitest';
import { RejectCode } from '../errors.js';
import { bytes, TestIc } from './testing/test-ic.js';

/**
 * Calls another canister and replies what its callbacks see: reject code, then reject message or reply.
 * `run ARG`: the first 10 bytes are the callee, the rest the method.
 */
const caller = `(module
  (import "ic0" "call_new" (func $new (param i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "ic0" "call_perform" (func $perform (result i32)))
  (import "ic0" "msg_arg_data_size" (func $arg_size (result i32)))
  (import "ic0" "msg_arg_data_copy" (func $arg_copy (param i32 i32 i32)))
  (import "ic0" "msg_reject_code" (func $reject_code (result i32)))
  (import "ic0" "msg_reject_msg_size" (func $reject_size (result i32)))
  (import "ic0" "msg_reject_msg_copy" (func $reject_copy (param i32 i32 i32)))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_reply" (func $reply))
  (memory 2) (table funcref (elem $on_reply $on_reject))
  (func $on_reply (param i32)
    (i32.store8 (i32.const 0) (i32.const 0))
    (call $append (i32.const 0) (i32.const 1))
    (call $arg_copy (i32.const 0) (i32.const 0) (call $arg_size))
    (call $append (i32.const 0) (call $arg_size)) (call $reply))
  (func $on_reject (param i32)
    (i32.store8 (i32.const 0) (call $reject_code))
    (call $append (i32.const 0) (i32.const 1))
    (call $reject_copy (i32.const 0) (i32.const 0) (call $reject_size))
    (call $append (i32.const 0) (call $reject_size)) (call $reply))
  (func $run
    (call $arg_copy (i32.const 0) (i32.const 0) (call $arg_size))
    (call $new (i32.const 0) (i32.const 10) (i32.const 10) (i32.sub (call $arg_size) (i32.const 10))
      (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0))
    (drop (call $perform)))
  (func (export "canister_update run") (call $run))
  (func (export "canister_composite_query run_composite") (call $run)))`;

/** Answers in all ways that a canister has. Long texts begin with "b", end with "e". */
const callee = `(module
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "msg_reject" (func $reject (param i32 i32)))
  (import "ic0" "trap" (func $trap (param i32 i32)))
  (import "ic0" "call_new" (func $new (param i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "ic0" "call_perform" (func $perform (result i32)))
  (import "ic0" "canister_self_copy" (func $self (param i32 i32 i32)))
  (memory 2) (table funcref (elem $nothing)) (data (i32.const 0) "silent")
  (func $nothing (param i32))
  (func $fill
    (memory.fill (i32.const 1000) (i32.const 109) (i32.const 9000))
    (i32.store8 (i32.const 1000) (i32.const 98))
    (i32.store8 (i32.const 9999) (i32.const 101)))
  (func $call_silent
    (call $self (i32.const 100) (i32.const 0) (i32.const 10))
    (call $new (i32.const 100) (i32.const 10) (i32.const 0) (i32.const 6)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
    (drop (call $perform)))
  (func (export "canister_update silent"))
  (func (export "canister_query silent_query"))
  (func (export "canister_update silent_callback") (call $call_silent))
  (func (export "canister_update long_trap") (call $fill) (call $trap (i32.const 1000) (i32.const 9000)))
  (func (export "canister_query long_trap_query") (call $fill) (call $trap (i32.const 1000) (i32.const 9000)))
  (func (export "canister_update long_reject") (call $fill) (call $reject (i32.const 1000) (i32.const 9000)))
  (func (export "canister_query long_reject_query") (call $fill) (call $reject (i32.const 1000) (i32.const 9000))))`;

const LIMIT = 8192;
const test = new TestIc();
const from = test.create(caller);
const to = test.create(callee);

interface Seen {
  readonly code: number;
  readonly text: string;
}

function seen(reply: Uint8Array): Seen {
  return { code: reply[0]!, text: Buffer.from(reply.subarray(1)).toString() };
}
const call = (method: string): Seen =>
  seen(test.update(from, 'run', Buffer.concat([to, bytes(method)])));
const compose = (method: string): Seen =>
  seen(test.query(from, 'run_composite', Buffer.concat([to, bytes(method)])));

describe('a canister that does not answer', () => {
  it.each(['silent', 'silent_query', 'silent_callback'])(
    '%s: canisters get two words',
    (method) => {
      expect(call(method)).toEqual({ code: RejectCode.CanisterError, text: 'No response' });
    },
  );

  it('is named to callers from outside, and to composite queries', () => {
    expect(test.failure(() => test.update(to, 'silent')).message).toMatch(
      /^Canister [\w-]+ did not reply to the call$/,
    );
    expect(test.failure(() => test.query(to, 'silent_query')).message).toMatch(
      /^Canister [\w-]+ did not produce a response$/,
    );
    expect(compose('silent_query').text).toMatch(/^Canister [\w-]+ did not produce a response$/);
  });
});

describe('long texts', () => {
  it('of failures lose their middle', () => {
    for (const run of [
      () => test.update(to, 'long_trap'),
      () => test.query(to, 'long_trap_query'),
    ]) {
      const { message } = test.failure(run);
      expect(message).toHaveLength(LIMIT);
      expect(message.slice(LIMIT / 2, LIMIT / 2 + 3)).toBe('...');
      expect(message).toMatch(/#trapped-explicitly$/);
    }
  });

  it('of failures lose more when the code before them makes them too long for a canister', () => {
    const { code, text } = call('long_trap');
    expect(code).toBe(RejectCode.CanisterError);
    expect(text).toMatch(/^IC0503: Error from Canister/);
    expect(text).toHaveLength(LIMIT);
    expect(text.split('...')).toHaveLength(3);
    expect(text.indexOf('...', 5000)).toBe(LIMIT * 0.75);
  });

  it('of failures have no code in composite queries', () => {
    const { text } = compose('long_trap_query');
    expect(text).toMatch(/^Error from Canister/);
    expect(text).toHaveLength(LIMIT);
  });

  it('of rejects are whole outside and lose a piece of their last quarter inside', () => {
    expect(test.failure(() => test.update(to, 'long_reject')).message).toHaveLength(9000);
    expect(test.failure(() => test.query(to, 'long_reject_query')).message).toHaveLength(9000);
    for (const { code, text } of [call('long_reject'), compose('long_reject_query')]) {
      expect(code).toBe(RejectCode.CanisterReject);
      expect(text).toHaveLength(LIMIT);
      expect(text.indexOf('...')).toBe(LIMIT * 0.75);
      expect(text).toMatch(/^b.*e$/);
    }
  });
});
