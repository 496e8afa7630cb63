import { describe, expect, it } from 'vitest';
import { ErrorCode } from '../errors.js';
import { COUNTER, RELAY } from '../scheduler/testing/canisters.js';
import { bytes, TestIc } from '../scheduler/testing/test-ic.js';
import { decode, encode } from './candid/index.js';
import {
  canisterIdRecord,
  canisterLogsArgs,
  canisterLogsReply,
  canisterMetricsReply,
  canisterStatusReply,
  canisterStatusReply2025,
} from './types.js';

const stranger = Uint8Array.from([...new Uint8Array(28).fill(9), 2]);
const management = new Uint8Array(0);
const printer = `(module
  (import "ic0" "debug_print" (func $print (param i32 i32)))
  (import "ic0" "msg_reply" (func $reply))
  (memory 1)
  (func (export "canister_update print")
    (call $print (i32.const 0) (i32.const 1000)) (call $reply)))`;

const now = (): TestIc => new TestIc({ costs: '2026-07' });

function ask(test: TestIc, method: string, id: Uint8Array, sender = Uint8Array.of(4)): Uint8Array {
  const arg = encode(canisterIdRecord, { canister_id: id });
  return test.ic.query({ sender, canisterId: management, method, arg, effectiveCanisterId: id });
}

describe('canister_status', () => {
  it('has the fields of 2026, and those of 2025 on a network of then', () => {
    const test = now();
    const id = test.create(COUNTER, { minimum_incoming_canister_call_cycles: 5n });
    const { settings } = decode(canisterStatusReply, ask(test, 'canister_status', id));
    expect(settings).toMatchObject({
      minimum_incoming_canister_call_cycles: 5n,
      log_memory_limit: 4096n,
      snapshot_visibility: { controllers: null },
      status_visibility: { controllers: null },
    });
    const before = new TestIc();
    const old = decode(canisterStatusReply2025, ask(before, 'canister_status', before.create()));
    expect(old.controller).toEqual(Uint8Array.of(4));
  });

  it('is shown to whom the settings allow', () => {
    const test = now();
    const id = test.create(COUNTER);
    const look = () => ask(test, 'canister_status', id, stranger);
    expect(test.failure(look).code).toBe(ErrorCode.CanisterStatusAccessDenied);
    test.updateSettings(id, { status_visibility: { allowed_viewers: [stranger] } });
    expect(look).not.toThrow();
    const viewers = Array.from({ length: 11 }, () => stranger);
    const tooMany = () => {
      test.updateSettings(id, { status_visibility: { allowed_viewers: viewers } });
    };
    expect(test.failure(tooMany).message).toContain('11 (max: 10)');
  });
});

describe('the log', () => {
  const records = (test: TestIc, id: Uint8Array, start: bigint, end: bigint) => {
    const arg = encode(canisterLogsArgs, { canister_id: id, filter: { by_idx: { start, end } } });
    const sender = Uint8Array.of(4);
    const query = { sender, canisterId: management, method: 'fetch_canister_logs', arg };
    const reply = test.ic.query({ ...query, effectiveCanisterId: id });
    return decode(canisterLogsReply, reply).canister_log_records.map(({ idx }) => idx);
  };

  it('is filtered without the end of a range, and holds what the settings say', () => {
    const test = now();
    const id = test.create(printer);
    for (let times = 0; times < 6; times++) test.update(id, 'print');
    expect(records(test, id, 0n, 100n)).toEqual([3n, 4n, 5n]);
    expect(records(test, id, 4n, 5n)).toEqual([4n]);
    test.updateSettings(id, { log_memory_limit: 65_536n });
    for (let times = 0; times < 10; times++) test.update(id, 'print');
    expect(records(test, id, 0n, 100n)).toHaveLength(13);
    test.updateSettings(id, { log_memory_limit: 2048n });
    expect(records(test, id, 0n, 100n)).toEqual([15n]);
    const tooMuch = () => {
      test.updateSettings(id, { log_memory_limit: 2_097_153n });
    };
    expect(test.failure(tooMuch).message).toContain('[0..2097152]');
  });
});

describe('minimum_incoming_canister_call_cycles', () => {
  it('keeps out calls of other canisters that bring less, and no others', () => {
    const test = now();
    const caller = test.create(RELAY);
    const callee = test.create(COUNTER, { minimum_incoming_canister_call_cycles: 1n });
    const arg = Uint8Array.from([...callee, ...bytes('add')]);
    const balance = test.ic.cyclesBalance(callee);
    expect(test.failure(() => test.update(caller, 'relay', arg)).message).toContain(
      'with at least 1 cycles, not 0',
    );
    expect(test.ic.cyclesBalance(callee)).toBe(balance);
    expect(test.update(callee, 'add')[0]).toBe(1);
    test.updateSettings(callee, { minimum_incoming_canister_call_cycles: 0n });
    expect(test.update(caller, 'relay', arg)[0]).toBe(2);
  });
});

describe('canister_metrics', () => {
  it('adds up to the cycles that are gone', () => {
    const test = now();
    const given = 10n ** 14n;
    const callee = test.create(COUNTER);
    const caller = test.create(RELAY);
    const arg = Uint8Array.from([...callee, ...bytes('add')]);
    for (let times = 0; times < 3; times++) test.update(caller, 'relay', arg);
    test.ic.advanceTime(100_000_000_000n);
    test.ic.tick();
    for (const id of [caller, callee]) {
      const reply = decode(canisterMetricsReply, ask(test, 'canister_metrics', id));
      const consumed = Object.values(reply.cycles_consumed).reduce((sum, part) => sum + part, 0n);
      expect(consumed).toBe(given - test.ic.cyclesBalance(id));
      expect(reply.cycles_consumed.memory).toBeGreaterThan(0n);
    }
    const look = () => ask(test, 'canister_metrics', callee, stranger);
    expect(test.failure(look).code).toBe(ErrorCode.CanisterInvalidController);
  });

  it('is unknown to a network of 2025', () => {
    const test = new TestIc();
    const id = test.create(COUNTER);
    expect(test.failure(() => ask(test, 'canister_metrics', id)).code).toBe(
      ErrorCode.CanisterMethodNotFound,
    );
  });
});

describe('environment variables', () => {
  it.each([
    ['2026-07', 20],
    ['2026-11', 32],
  ] as const)('of profile %s: at most %i', (costs, most) => {
    const test = new TestIc({ costs });
    const id = test.create();
    const set = (count: number) => {
      const names = Array.from({ length: count }, (_, index) => `name${index}`);
      const environment_variables = names.map((name) => ({ name, value: '' }));
      test.updateSettings(id, { environment_variables });
    };
    set(most);
    const tooMany = () => {
      set(most + 1);
    };
    expect(test.failure(tooMany).message).toContain(`${most + 1} (max: ${most})`);
  });
});

describe('list_canisters', () => {
  it('is for administrators of the subnet', () => {
    const test = now();
    const id = test.create();
    expect(test.failure(() => ask(test, 'list_canisters', id)).code).toBe(
      ErrorCode.InvalidSubnetAdmin,
    );
  });
});

describe('functions of ic0 that came in 2026', () => {
  const module = `(module
    (import "ic0" "msg_caller_info_data_size" (func $data (result i32)))
    (import "ic0" "msg_caller_info_signer_size" (func $signer (result i32)))
    (import "ic0" "subnet_self_node_count" (func $nodes (result i32)))
    (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
    (import "ic0" "msg_reply" (func $reply))
    (memory 1)
    (func (export "canister_query ask")
      (i32.store8 (i32.const 0) (call $data))
      (i32.store8 (i32.const 1) (call $signer))
      (i32.store8 (i32.const 2) (call $nodes))
      (call $append (i32.const 0) (i32.const 3)) (call $reply)))`;

  it('are there, and refused on a network of 2025', () => {
    const test = now();
    expect([...test.query(test.create(module), 'ask')]).toEqual([0, 0, 13]);
    const before = new TestIc();
    expect(before.failure(() => before.create(module)).message).toContain(
      "imports function 'msg_caller_info_data_size' from 'ic0' that is not exported",
    );
  });
});
