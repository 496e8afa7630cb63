import { describe, expect, it } from 'vitest';
import { TestIc } from '../scheduler/testing/test-ic.js';
import { systemApiCosts } from '../costs/index.js';
import type { CostSchedule } from '../wasm/index.js';

/** Runs a step and replies how many instructions it took by `performance_counter`. */
const module = (step: string): string => `(module
  (import "ic0" "performance_counter" (func $counter (param i32) (result i64)))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "stable_grow" (func $grow (param i32) (result i32)))
  (import "ic0" "stable_read" (func $read (param i32 i32 i32)))
  (import "ic0" "stable_write" (func $write (param i32 i32 i32)))
  (memory 1)
  (func $run (local $before i64)
    (i64.store (i32.const 0) (i64.const 0))
    (i32.store8 (i32.const 100) (i32.load8_u (i32.const 200)))
    (local.set $before (call $counter (i32.const 0)))
    ${step}
    (i64.store (i32.const 0) (i64.sub (call $counter (i32.const 0)) (local.get $before)))
    (call $append (i32.const 0) (i32.const 8))
    (call $reply))
  (func (export "canister_init") (drop (call $grow (i32.const 4))))
  (func (export "canister_update run") (call $run))
  (func (export "canister_query run_query") (call $run)))`;

const read = (to: number, from: number, bytes: number): string =>
  `(call $read (i32.const ${to}) (i32.const ${from}) (i32.const ${bytes}))`;
const write = (to: number, from: number, bytes: number): string =>
  `(call $write (i32.const ${to}) (i32.const ${from}) (i32.const ${bytes}))`;

function instructions(step: string, costs: CostSchedule, query = false): number {
  const test = new TestIc({ costs });
  const canister = test.create(module(step));
  const reply = query ? test.query(canister, 'run_query') : test.update(canister, 'run');
  return Number(Buffer.from(reply).readBigUInt64LE());
}

/** What a step costs more than the same accesses to pages that were touched before. */
function pageCharge(step: string, costs: CostSchedule, query = false): number {
  const touched = instructions(`${step} ${step}`, costs, query);
  return 2 * instructions(step, costs, query) - touched - overhead(costs, query);
}
const overhead = (costs: CostSchedule, query: boolean): number => instructions('', costs, query);

describe('stable memory', () => {
  it('costs its fixed price and an instruction a byte', () => {
    const one = instructions(`${read(300, 0, 1)} ${read(300, 0, 1)}`, '2025-10');
    const both = instructions(`${read(300, 0, 1)} ${read(300, 0, 100)}`, '2025-10');
    expect(both - one).toBe(99);
    const single = instructions(read(300, 0, 1), '2025-10') - overhead('2025-10', false);
    expect(single).toBeGreaterThan(systemApiCosts.get('stable_read')!);
  });

  describe('schedule 2026-07', () => {
    // A 64 KiB page counts as 16 pages of 4 KiB, 5000 instructions each.
    const ACCESS = 16 * 5000;

    it('charges the first access of a page and again its first write', () => {
      expect(pageCharge(read(300, 0, 1), '2026-07')).toBe(ACCESS);
      expect(pageCharge(write(0, 300, 1), '2026-07')).toBe(2 * ACCESS);
    });

    it('charges a write after a read for the write only', () => {
      const readFirst = instructions(`${read(300, 0, 1)} ${write(1, 300, 1)}`, '2026-07');
      const writeFirst = instructions(`${write(1, 300, 1)} ${read(300, 0, 1)}`, '2026-07');
      expect(readFirst).toBe(writeFirst);
    });

    it('charges every page of a range once', () => {
      expect(pageCharge(read(300, 65_530, 12), '2026-07')).toBe(2 * ACCESS);
      expect(pageCharge(read(0, 0, 65_536), '2026-07')).toBe(ACCESS);
      expect(pageCharge(read(300, 100, 0), '2026-07')).toBe(0);
    });

    it('charges queries for the access only', () => {
      expect(pageCharge(write(0, 300, 1), '2026-07', true)).toBe(ACCESS);
    });
  });

  describe('schedule 2025-10', () => {
    it('charges 1000 for the first write of 4 KiB, nothing for reads', () => {
      expect(pageCharge(read(300, 0, 1), '2025-10')).toBe(0);
      expect(pageCharge(write(0, 300, 1), '2025-10')).toBe(1000);
      expect(pageCharge(write(4090, 300, 12), '2025-10')).toBe(2000);
    });
  });

  describe('at the edges', () => {
    const edge = (call: string): string => `(module
      (import "ic0" "msg_reply" (func $reply))
      (import "ic0" "stable64_grow" (func $grow (param i64) (result i64)))
      (import "ic0" "stable_read" (func $read (param i32 i32 i32)))
      (import "ic0" "stable_write" (func $write (param i32 i32 i32)))
      (import "ic0" "stable64_read" (func $read64 (param i64 i64 i64)))
      (import "ic0" "stable64_write" (func $write64 (param i64 i64 i64)))
      (memory 1)
      (func (export "canister_init") (drop (call $grow (i64.const 1))))
      (func (export "canister_update grow") (drop (call $grow (i64.const 65536))) (call $reply))
      (func (export "canister_update run") ${call} (call $reply)))`;

    /** Why a call fails, and the cycles that it costs; undefined when it passes. */
    function outcome(call: string, large = false) {
      const test = new TestIc();
      const canister = test.create(edge(call));
      if (large) test.update(canister, 'grow');
      const before = test.ic.cyclesBalance(canister);
      let reason: string | undefined;
      try {
        test.update(canister, 'run');
      } catch (error) {
        reason = /trapped: ([^\n]*)/.exec((error as Error).message)![1];
      }
      const cycles = before - test.ic.cyclesBalance(canister);
      return { reason, cycles };
    }
    const call32 = (name: string, ...[a, b, size]: number[]): string =>
      `(call $${name} (i32.const ${a!}) (i32.const ${b!}) (i32.const ${size!}))`;
    const call64 = (name: string, ...[a, b, size]: number[]): string =>
      `(call $${name} (i64.const ${a!}) (i64.const ${b!}) (i64.const ${size!}))`;
    const BEYOND = 65_537;
    const GIB_4 = 2 ** 32;

    it('copies nothing anywhere, but for stable_write outside of stable memory', () => {
      expect(outcome(call32('read', BEYOND, BEYOND, 0)).reason).toBeUndefined();
      expect(outcome(call64('read64', BEYOND, BEYOND, 0)).reason).toBeUndefined();
      expect(outcome(call64('write64', BEYOND, BEYOND, 0)).reason).toBeUndefined();
      expect(outcome(call32('write', 65_536, BEYOND, 0)).reason).toBeUndefined();
      expect(outcome(call32('write', BEYOND, 0, 0)).reason).toBe('stable memory out of bounds');
    });

    it('finds stable memory too large for the 32-bit functions unless there is nothing to read', () => {
      const text = '32 bit stable memory api used on a memory larger than 4GB';
      expect(outcome(call32('read', 0, 0, 0), true).reason).toBeUndefined();
      expect(outcome(call32('read', 0, 0, 1), true).reason).toBe(text);
      expect(outcome(call32('write', 0, 0, 0), true).reason).toBe(text);
    });

    it('pays for the pages of a write that ends outside of the heap', () => {
      const inside = outcome(call32('write', 0, 65_535, 1)).cycles;
      const beyond = outcome(call32('write', 0, 65_536, 1));
      expect(beyond.reason).toBe('heap out of bounds');
      expect(inside - beyond.cycles).toBeLessThan(1000n);
      const two = outcome(call32('write', 4095, 65_536, 2)).cycles;
      expect(two - beyond.cycles).toBe(1001n);
      const wide = outcome(call64('write64', 0, 65_536, 1)).cycles;
      const nowhere = outcome(call64('write64', 0, GIB_4, 1));
      expect(nowhere.reason).toBe('heap out of bounds');
      // The address itself is a longer constant of the module, which no message pays for.
      expect(wide - nowhere.cycles).toBe(1000n);
    });

    it('looks at stable memory before the heap', () => {
      for (const call of [
        call32('read', BEYOND, BEYOND, 1),
        call32('write', BEYOND, BEYOND, 1),
        call64('read64', GIB_4, BEYOND, 1),
        call64('write64', BEYOND, GIB_4, 1),
        call64('write64', -1, 0, 1),
      ]) {
        expect(outcome(call).reason).toBe('stable memory out of bounds');
      }
      expect(outcome(call32('read', BEYOND, 0, 1)).reason).toBe('heap out of bounds');
      expect(outcome(call64('read64', GIB_4, 0, 1)).reason).toBe('heap out of bounds');
    });
  });
});
