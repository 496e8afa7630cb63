import { describe, expect, it } from 'vitest';
import { ErrorCode } from '../errors.js';
import { TestIc } from './testing/test-ic.js';

/** Keeps in stable memory which version each hook saw: pre_upgrade at 0, init or post_upgrade at 8. */
const versions = (post = '(call $keep (i32.const 8))'): string => `(module
  (import "ic0" "canister_version" (func $version (result i64)))
  (import "ic0" "stable_size" (func $size (result i32)))
  (import "ic0" "stable_grow" (func $grow (param i32) (result i32)))
  (import "ic0" "stable_read" (func $read (param i32 i32 i32)))
  (import "ic0" "stable_write" (func $write (param i32 i32 i32)))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_reply" (func $reply))
  (memory 1)
  (func $keep (param i32)
    (if (i32.eqz (call $size)) (then (drop (call $grow (i32.const 1)))))
    (i64.store (i32.const 0) (call $version))
    (call $write (local.get 0) (i32.const 0) (i32.const 8)))
  (func (export "canister_init") (call $keep (i32.const 8)))
  (func (export "canister_pre_upgrade") (call $keep (i32.const 0)))
  (func (export "canister_post_upgrade") ${post})
  (func (export "canister_query seen")
    (call $read (i32.const 0) (i32.const 0) (i32.const 16))
    (i64.store (i32.const 16) (call $version))
    (call $append (i32.const 0) (i32.const 24)) (call $reply)))`;

describe('canister_version', () => {
  const seen = (test: TestIc, canister: Uint8Array): number[] => {
    const reply = Buffer.from(test.query(canister, 'seen'));
    return [0, 8, 16].map((at) => Number(reply.readBigUInt64LE(at)));
  };

  it('is that of the new code in init and post_upgrade, of the old in pre_upgrade', () => {
    const test = new TestIc();
    const canister = test.create(versions());
    expect(seen(test, canister)).toEqual([0, 1, 1]);
    test.install(canister, versions(), 'upgrade');
    expect(seen(test, canister)).toEqual([1, 2, 2]);
    test.updateSettings(canister, { freezing_threshold: 5n });
    test.install(canister, versions(), 'reinstall');
    expect(seen(test, canister)).toEqual([0, 4, 4]);
  });

  it('stays as it was when the installation fails', () => {
    const test = new TestIc();
    const canister = test.create(versions());
    expect(
      test.failure(() => {
        test.install(canister, versions('(call $keep (i32.const 8)) unreachable'), 'upgrade');
      }).code,
    ).toBe(ErrorCode.CanisterTrapped);
    expect(seen(test, canister)).toEqual([0, 1, 1]);
  });
});

/** Grows the heap by pages in the context that is named, and keeps what `memory.grow` gave at 0. */
const growing = (pages: number, maximum = ''): string => `(module
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_reply" (func $reply))
  (memory 1 ${maximum})
  (func $grow (i32.store (i32.const 0) (memory.grow (i32.const ${pages}))))
  (func $answer (call $append (i32.const 0) (i32.const 4)) (call $reply))
  (func (export "canister_update grow") (call $grow) (call $answer))
  (func (export "canister_query grow_query") (call $grow) (call $answer)))`;

describe('memory.grow', () => {
  const WHOLE = 65_535;
  const grown = (reply: Uint8Array): number => Buffer.from(reply).readInt32LE();

  it('beyond the limit of the canister fails the update, to the last page of 4 GiB', () => {
    const test = new TestIc();
    for (const pages of [49_152, 65_532, 65_533, WHOLE]) {
      const canister = test.create(growing(pages));
      const { code, message } = test.failure(() => test.update(canister, 'grow'));
      expect(code).toBe(ErrorCode.CanisterWasmMemoryLimitExceeded);
      expect(message).toContain(`peak Wasm memory usage was ${(pages + 1) * 65_536} bytes`);
    }
  });

  it('gives -1 beyond 4 GiB, and beyond what the module allows itself', () => {
    const test = new TestIc();
    expect(grown(test.update(test.create(growing(65_536)), 'grow'))).toBe(-1);
    expect(grown(test.update(test.create(growing(10, '10')), 'grow'))).toBe(-1);
    expect(grown(test.update(test.create(growing(9, '10')), 'grow'))).toBe(1);
  });

  it('in queries is not held against the limit', () => {
    const test = new TestIc();
    const canister = test.create(growing(20), { wasm_memory_limit: 1_000_000n });
    expect(grown(test.query(canister, 'grow_query'))).toBe(1);
    expect(test.failure(() => test.update(canister, 'grow')).code).toBe(
      ErrorCode.CanisterWasmMemoryLimitExceeded,
    );
  });
});
