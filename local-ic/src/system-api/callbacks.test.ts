import { describe, expect, it } from 'vitest';
import { ErrorCode, type UserError } from '../errors.js';
import { TestIc } from '../scheduler/testing/test-ic.js';

const TABLE = '(table 3 funcref) (elem (i32.const 1) $wrong $reply_now)';

interface Indices {
  readonly reply: number;
  readonly cleanup?: number;
}

/** Calls itself with callbacks at table indices: 0 is empty, 1 has another signature, 2 replies. */
const module = ({ reply, cleanup }: Indices, table = TABLE): string => `(module
  (import "ic0" "call_new" (func $new (param i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "ic0" "call_on_cleanup" (func $on_cleanup (param i32 i32)))
  (import "ic0" "call_perform" (func $perform (result i32)))
  (import "ic0" "canister_self_copy" (func $self (param i32 i32 i32)))
  (import "ic0" "msg_reply" (func $reply))
  (memory 1) ${table} (data (i32.const 0) "answer")
  (func $wrong (param i64))
  (func $reply_now (param i32) (call $reply))
  (func $run (param $callee_name i32)
    (call $self (i32.const 100) (i32.const 0) (i32.const 10))
    (call $new (i32.const 100) (i32.const 10) (local.get $callee_name) (i32.const 6)
      (i32.const ${reply}) (i32.const 0) (i32.const 2) (i32.const 0))
    ${cleanup === undefined ? '' : `(call $on_cleanup (i32.const ${cleanup}) (i32.const 0))`}
    (drop (call $perform)))
  (func (export "canister_update run") (call $run (i32.const 0)))
  (func (export "canister_composite_query run_composite") (call $run (i32.const 0)))
  (func (export "canister_query answer") (call $reply)))`;

function failures(indices: Indices, table?: string): UserError[] {
  const test = new TestIc();
  const canister = test.create(module(indices, table));
  return [
    test.failure(() => test.update(canister, 'run')),
    test.failure(() => test.query(canister, 'run_composite')),
  ];
}

describe('a callback that is no function', () => {
  it.each([
    [
      'an empty entry',
      0,
      ErrorCode.CanisterContractViolation,
      'unexpected null function reference',
    ],
    [
      'another signature',
      1,
      ErrorCode.CanisterContractViolation,
      'function invocation does not match its signature',
    ],
    [
      'an index behind the table',
      3,
      ErrorCode.CanisterFunctionNotFound,
      'non-existent Wasm function 3 from table 0',
    ],
    [
      'the largest index',
      -1,
      ErrorCode.CanisterFunctionNotFound,
      'non-existent Wasm function 4294967295 from table 0',
    ],
  ])('%s, in updates and composite queries', (_, reply, code, text) => {
    for (const failure of failures({ reply })) {
      expect(failure.code).toBe(code);
      expect(failure.message).toContain(text);
      expect(failure.message).toContain('compiler/CDK toolchain');
    }
  });

  it('in a module without a table', () => {
    for (const failure of failures({ reply: 0 }, '')) {
      expect(failure.code).toBe(ErrorCode.CanisterContractViolation);
      expect(failure.message).toContain('table not found');
    }
  });

  it('as the cleanup of a callback that failed too', () => {
    for (const failure of failures({ reply: 1, cleanup: 0 })) {
      expect(failure.message).toContain('function invocation does not match its signature');
      expect(failure.message).toContain(
        'call_on_cleanup also failed:\n\nCanister violated contract: unexpected null function reference',
      );
    }
  });
});
