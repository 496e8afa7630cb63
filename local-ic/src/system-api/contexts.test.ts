import { describe, expect, it } from 'vitest';
import { ErrorCode } from '../errors.js';
import { TestIc } from '../scheduler/testing/test-ic.js';
import { API } from './index.js';
import type { Mode } from './modes.js';

/** Letters of the IC interface specification ("Overview of imports"). */
const LETTERS: Readonly<Record<string, readonly Mode[]>> = {
  s: ['start'],
  I: ['init'],
  G: ['pre upgrade'],
  U: ['update'],
  RQ: ['replicated query'],
  NRQ: ['non replicated query'],
  CQ: ['composite query'],
  Ry: ['reply callback'],
  Rt: ['reject callback'],
  CRy: ['composite reply callback'],
  CRt: ['composite reject callback'],
  C: ['cleanup'],
  CC: ['composite cleanup'],
  F: ['inspect message'],
  T: ['heartbeat', 'global timer', 'on low Wasm memory'],
};
const ANYWHERE = 'I G U RQ NRQ CQ Ry Rt CRy CRt C CC F T';

/** Where functions may be called, as specified. */
const SPECIFIED: Readonly<Record<string, string>> = {
  'msg_arg_data_size msg_arg_data_copy': 'I U RQ NRQ CQ Ry CRy F',
  'msg_caller_size msg_caller_copy': ANYWHERE,
  'msg_caller_info_data_size msg_caller_info_data_copy': 'U RQ NRQ CQ Ry Rt CRy CRt C CC F',
  'msg_caller_info_signer_size msg_caller_info_signer_copy': 'U RQ NRQ CQ Ry Rt CRy CRt C CC F',
  subnet_self_node_count: ANYWHERE,
  msg_reject_code: 'Ry Rt CRy CRt',
  'msg_reject_msg_size msg_reject_msg_copy': 'Rt CRt',
  msg_deadline: 'U RQ NRQ CQ Ry Rt CRy CRt',
  'msg_reply_data_append msg_reply msg_reject': 'U RQ NRQ CQ Ry Rt CRy CRt',
  'msg_cycles_available msg_cycles_available128': 'U RQ Rt Ry',
  'msg_cycles_accept msg_cycles_accept128': 'U RQ Rt Ry',
  'msg_cycles_refunded msg_cycles_refunded128': 'Rt Ry',
  'cycles_burn128 root_key_size root_key_copy': 'I G U RQ Ry Rt C T',
  'canister_self_size canister_self_copy canister_status canister_version': ANYWHERE,
  'canister_cycle_balance canister_cycle_balance128': ANYWHERE,
  'canister_liquid_cycle_balance128 subnet_self_size subnet_self_copy': ANYWHERE,
  'msg_method_name_size msg_method_name_copy accept_message': 'F',
  'call_new call_on_cleanup call_data_append call_perform': 'U CQ Ry Rt CRy CRt T',
  call_with_best_effort_response: 'U CQ Ry Rt CRy CRt T',
  'call_cycles_add call_cycles_add128': 'U Ry Rt T',
  'stable_size stable_grow stable_write stable_read': `${ANYWHERE} s`,
  'stable64_size stable64_grow stable64_write stable64_read': `${ANYWHERE} s`,
  certified_data_set: 'I G U Ry Rt T',
  'data_certificate_present time': ANYWHERE,
  'data_certificate_size data_certificate_copy': 'NRQ CQ',
  global_timer_set: 'I G U Ry Rt C T',
  'performance_counter is_controller in_replicated_execution': `${ANYWHERE} s`,
  'cost_call cost_create_canister cost_http_request': `${ANYWHERE} s`,
  'cost_sign_with_ecdsa cost_sign_with_schnorr cost_vetkd_derive_key': `${ANYWHERE} s`,
  'env_var_count env_var_name_size env_var_name_copy env_var_name_exists': ANYWHERE,
  'env_var_value_size env_var_value_copy': ANYWHERE,
  'debug_print trap': `${ANYWHERE} s`,
};

describe('functions of ic0', () => {
  it.each(Object.entries(SPECIFIED))('%s: in %s', (names, letters) => {
    const modes = new Set(letters.split(' ').flatMap((letter) => LETTERS[letter]!));
    for (const name of names.split(' ')) expect(new Set(API[name]!.allowed)).toEqual(modes);
  });

  it('are those of the specification, and the one that mints cycles', () => {
    const specified = Object.keys(SPECIFIED).flatMap((names) => names.split(' '));
    expect(new Set(Object.keys(API))).toEqual(new Set([...specified, 'mint_cycles128']));
  });
});

/** The failure of an update whose body is given; imports are all functions that the cases need. */
function failureOf(body: string): { code: ErrorCode; message: string } {
  const test = new TestIc();
  const canister = test.create(`(module
    (import "ic0" "msg_arg_data_copy" (func $arg_copy (param i32 i32 i32)))
    (import "ic0" "msg_reject_code" (func $reject_code (result i32)))
    (import "ic0" "stable_read" (func $stable_read (param i32 i32 i32)))
    (import "ic0" "stable64_grow" (func $stable64_grow (param i64) (result i64)))
    (import "ic0" "stable_size" (func $stable_size (result i32)))
    (import "ic0" "trap" (func $trap (param i32 i32)))
    (import "ic0" "call_perform" (func $perform (result i32)))
    (import "ic0" "msg_reply" (func $reply))
    (memory 1) (data (i32.const 0) "why")
    (func (export "canister_update run") ${body}))`);
  return test.failure(() => test.update(canister, 'run'));
}

describe('misuse of ic0', () => {
  it('violates the contract in the wrong context', () => {
    const { code, message } = failureOf('(drop (call $reject_code))');
    expect(code).toBe(ErrorCode.CanisterContractViolation);
    expect(message).toContain('"ic0_msg_reject_code" cannot be executed in update mode');
  });

  it('violates the contract out of bounds', () => {
    const { code, message } = failureOf(
      '(call $arg_copy (i32.const 65530) (i32.const 0) (i32.const 7))',
    );
    expect(code).toBe(ErrorCode.CanisterContractViolation);
    expect(message).toContain('src=65530 + length=7 exceeds the slice size=65536');
  });

  it('violates the contract by a second reply, and by performing no call', () => {
    expect(failureOf('(call $reply) (call $reply)').code).toBe(ErrorCode.CanisterContractViolation);
    expect(failureOf('(drop (call $perform))').code).toBe(ErrorCode.CanisterContractViolation);
  });

  it('traps in stable memory, with the function at the head of the backtrace', () => {
    const outside = failureOf('(call $stable_read (i32.const 0) (i32.const 0) (i32.const 1))');
    expect(outside.message).toMatch(
      /stable memory out of bounds\nCanister Backtrace:\nstable_read\n/,
    );
    const large = failureOf(
      '(drop (call $stable64_grow (i64.const 65537))) (drop (call $stable_size))',
    );
    expect(large.message).toContain('32 bit stable memory api used on a memory larger than 4GB');
  });

  it('gives the text of ic0.trap', () => {
    const { code, message } = failureOf('(call $trap (i32.const 0) (i32.const 3))');
    expect(code).toBe(ErrorCode.CanisterCalledTrap);
    expect(message).toContain("Canister called `ic0.trap` with message: 'why'");
  });
});
