import { describe, expect, it } from 'vitest';
import { assemble } from './testing/assemble.js';
import { MessageHost } from './testing/message-host.js';
import type { CostSchedule } from './types.js';

/**
 * What touching the heap costs in schedule 2026-07, worked out by hand from page-costs.json: a
 * 64 KiB page is 16 pages of 4 KiB, each 5,000 at its first access and 5,000 at its first write.
 */
const ACCESS = 80_000;
const WRITE = 80_000;

function counter(body: string): (options?: { query?: boolean; schedule?: CostSchedule }) => number {
  const bytes = assemble(`(module (memory 8 10) (data $d "0123456789")
    (func (export "f") (local $p i32) (local $n i32) ${body}))`);
  return ({ query = false, schedule = '2026-07' } = {}) => {
    const { instance } = new MessageHost(bytes, schedule);
    const outcome = instance.run({ export: 'f' }, 1e12, { query });
    if (outcome.kind !== 'returned') throw new Error(outcome.trap.kind);
    return outcome.instructions;
  };
}

describe('schedule 2026-07', () => {
  it('charges a page once for access and once for the first write', () => {
    // Entry 1; const 1, load 1, drop 1.
    const read = '(drop (i32.load (i32.const 100)))';
    expect(counter(read)()).toBe(1 + 3 + ACCESS);
    expect(counter(read + read)()).toBe(1 + 6 + ACCESS);
    // const 1, const 1, store 1.
    const write = '(i32.store (i32.const 200) (i32.const 5))';
    expect(counter(write)()).toBe(1 + 3 + ACCESS + WRITE);
    expect(counter(read + write + read + write)()).toBe(1 + 12 + ACCESS + WRITE);
  });

  it('charges whole wasm pages, at the step from one to the next', () => {
    const read = (address: number): string => `(drop (i32.load8_u (i32.const ${address})))`;
    expect(counter(read(0) + read(65_535))()).toBe(1 + 6 + ACCESS);
    expect(counter(read(0) + read(65_536))()).toBe(1 + 6 + 2 * ACCESS);
    // Four bytes across the border touch both.
    expect(counter('(drop (i32.load (i32.const 65534)))')()).toBe(1 + 3 + 2 * ACCESS);
    expect(counter('(i64.store (i32.const 131068) (i64.const 1))')()).toBe(
      1 + 3 + 2 * (ACCESS + WRITE),
    );
  });

  it('charges writes of the value that is there already', () => {
    expect(counter('(i32.store (i32.const 0) (i32.const 0))')()).toBe(1 + 3 + ACCESS + WRITE);
  });

  it('lets queries pay the access only', () => {
    const write = counter('(i32.store (i32.const 200) (i32.const 5))');
    expect(write({ query: true })).toBe(1 + 3 + ACCESS);
  });

  it('charges bulk operations by the byte and for the pages they touch', () => {
    const fill = (length: number): number =>
      counter(`(memory.fill (i32.const 1000) (i32.const 1) (i32.const ${length}))`)();
    expect(fill(0)).toBe(1 + 3 + 100);
    expect(fill(100)).toBe(1 + 3 + 100 + 100 + ACCESS + WRITE);
    // Bytes 1,000 to 200,999: pages 0 to 3.
    expect(fill(200_000)).toBe(1 + 3 + 100 + 200_000 + 4 * (ACCESS + WRITE));
    const copy = '(memory.copy (i32.const 65000) (i32.const 300000) (i32.const 1000))';
    // From page 4, to pages 0 and 1.
    expect(counter(copy)()).toBe(1 + 3 + 100 + 1000 + ACCESS + 2 * (ACCESS + WRITE));
    const init = '(memory.init $d (i32.const 70000) (i32.const 0) (i32.const 10))';
    expect(counter(init)()).toBe(1 + 3 + 100 + 10 + ACCESS + WRITE);
  });

  it('charges a loop over pages as it goes', () => {
    const body = `(local.set $n (i32.const 6))
      (loop $l
        (drop (v128.load (local.get $p)))
        (local.set $p (i32.add (local.get $p) (i32.const 65536)))
        (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))`;
    // Entry 1, set 2; a turn: 3 + 4 + 6.
    expect(counter(body)()).toBe(1 + 2 + 6 * 13 + 6 * ACCESS);
  });

  it('charges what a host function reads and writes', () => {
    const bytes = assemble(`(module
      (import "ic0" "msg_reply_data_append" (func $a (param i32 i32))) (memory 2)
      (func (export "f") (call $a (i32.const 65530) (i32.const 10))))`);
    // Entry 1, consts 2, call 5, the append 500 + 50 a byte.
    expect(new MessageHost(bytes, '2026-07').runOk('f')).toBe(1 + 7 + 500 + 500 + 2 * ACCESS);
  });

  it('charges each message anew', () => {
    const bytes = assemble(
      '(module (memory 1) (func (export "f") (i32.store (i32.const 0) (i32.const 1))))',
    );
    const host = new MessageHost(bytes, '2026-07');
    for (let i = 0; i < 3; i++) {
      expect(host.runOk('f')).toBe(1 + 3 + ACCESS + WRITE);
      if (i === 1) host.instance.rollback();
      else host.instance.commit();
    }
  });
});

describe('a 64-bit memory in schedule 2026-07', () => {
  it('is charged alike, loads and stores costing 2', () => {
    const bytes = assemble(`(module (memory i64 4)
      (func (export "f") (local $p i64)
        (i64.store offset=65536 (local.get $p) (i64.const 1))
        (drop (i32.load (i64.const 131070)))
        (memory.fill (i64.const 200000) (i32.const 7) (i64.const 3)))
      (func (export "oob") (drop (i32.load (i64.const 0x100000000)))))`);
    const host = new MessageHost(bytes, '2026-07');
    // Page 1 written; page 1 and 2 read; page 3 written.
    const instructions = 1 + 4 + 4 + 3 + 100 + 3;
    expect(host.runOk('f')).toBe(instructions + 3 * ACCESS + 2 * WRITE);
    host.instance.rollback();
    expect([...host.instance.readBytes(200000n, 3n)]).toEqual([0, 0, 0]);
    expect(host.run('oob')).toMatchObject({ trap: { kind: 'heap out of bounds' } });
  });
});

describe('schedule 2025-10', () => {
  it('charges nothing at once and counts the 4 KiB pages whose content changed', () => {
    const bytes = assemble(`(module (memory 4)
      (func (export "f")
        (i32.store (i32.const 4092) (i32.const 1)) (i32.store (i32.const 8192) (i32.const 0))
        (i64.store (i32.const 69628) (i64.const -1)) (drop (i32.load (i32.const 200000)))))`);
    const host = new MessageHost(bytes, '2025-10');
    expect(host.runOk('f')).toBe(1 + 12);
    // Page 0 (4092), nothing new at 8192, and both sides of the border at 69,632.
    expect(host.instance.changedHeapPages()).toBe(3);
    host.instance.commit();
    host.runOk('f');
    expect(host.instance.changedHeapPages()).toBe(0);
  });
});
