import { describe, expect, it } from 'vitest';
import { UserError } from './errors.js';
import { Ic } from './ic.js';
import { LocalCanisters, NotAnsweredError } from './local-canisters.js';
import { assemble } from './wasm/testing/assemble.js';

const counter = assemble(`(module
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "stable64_grow" (func $grow (param i64) (result i64)))
  (import "ic0" "stable64_read" (func $read (param i64 i64 i64)))
  (import "ic0" "stable64_write" (func $write (param i64 i64 i64)))
  (memory 1)
  (func (export "canister_init") (drop (call $grow (i64.const 1))))
  (func (export "canister_update increment")
    (call $read (i64.const 0) (i64.const 0) (i64.const 1))
    (i32.store8 (i32.const 0) (i32.add (i32.load8_u (i32.const 0)) (i32.const 1)))
    (call $write (i64.const 0) (i64.const 0) (i64.const 1))
    (call $reply))
  (func (export "canister_query count")
    (call $read (i64.const 0) (i64.const 0) (i64.const 1))
    (call $append (i32.const 0) (i32.const 1))
    (call $reply))
  )`);

const empty = new Uint8Array();

describe('LocalCanisters', () => {
  it('creates, calls and upgrades a canister', () => {
    const canisters = new LocalCanisters(new Ic({ subnets: [{ kind: 'application' }] }));
    const id = canisters.create(counter);
    canisters.update(id, 'increment', empty);
    canisters.update(id, 'increment', empty);
    expect([...canisters.query(id, 'count', empty)]).toEqual([2]);
    canisters.upgrade(id, counter);
    expect([...canisters.query(id, 'count', empty)]).toEqual([2]);
  });

  it('throws what the replica would answer', () => {
    const canisters = new LocalCanisters(new Ic({ subnets: [{ kind: 'application' }] }));
    const id = canisters.create(counter);
    expect(() => canisters.update(id, 'decrement', empty)).toThrow(UserError);
    expect(() => canisters.update(id, 'decrement', empty)).toThrow(
      "has no update method 'decrement'",
    );
    canisters.update(id, 'increment', empty);
    expect(new NotAnsweredError('x').message).toContain('"x" was not answered in 100 rounds');
  });
});
