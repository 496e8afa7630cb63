import { describe, expect, it } from 'vitest';
import { HeapOutOfBounds } from './errors.js';
import { CanisterInstance } from './instance.js';
import { compileModule } from './module.js';
import { assemble } from './testing/assemble.js';
import { MessageHost } from './testing/message-host.js';

const PAGE = 65536;

/** Writes to page 0 and a global, grows by 2 pages and writes there. */
const growing = assemble(`(module (memory 1 4) (global $g (mut i64) (i64.const 1))
  (func (export "grow") (result) (global.set $g (i64.const 2)) (i32.store (i32.const 8) (i32.const 3))
    (drop (memory.grow (i32.const 2))) (i32.store (i32.const 150000) (i32.const 4)))
  (func (export "reach") (drop (i32.load (i32.const 150000))))
  (func (export "size") (i32.store (i32.const 0) (memory.size)))
  (func (export "too much") (i32.store (i32.const 0) (memory.grow (i32.const 4)))))`);

function word(instance: CanisterInstance, address: number): number {
  return Buffer.from(instance.readBytes(address, 4)).readInt32LE();
}

describe('an instance', () => {
  it('takes back growth: the pages are gone, and zero when they come again', () => {
    const host = new MessageHost(growing);
    host.runOk('grow');
    expect(host.instance.memoryPages()).toBe(3);
    host.instance.rollback();
    expect(host.instance.memoryPages()).toBe(1);
    expect(host.run('reach')).toMatchObject({ trap: { kind: 'heap out of bounds' } });
    host.instance.rollback();
    host.runOk('size');
    expect(word(host.instance, 0)).toBe(1);
    host.instance.commit();
    host.runOk('grow');
    host.instance.commit();
    expect(word(host.instance, 150000)).toBe(4);
    expect(word(host.instance, 150004)).toBe(0);
  });

  it('grows within its maximum, and as the host lets it', () => {
    const host = new MessageHost(growing);
    host.runOk('too much');
    expect(word(host.instance, 0)).toBe(-1);
    host.instance.rollback();
    const asked: number[][] = [];
    const instance = new CanisterInstance(
      compileModule(growing, '2026-07'),
      {},
      {
        mayGrow: (current, additional) => {
          asked.push([current, additional]);
          return false;
        },
      },
    );
    expect(instance.run({ export: 'grow' }, 1e9)).toMatchObject({
      trap: { kind: 'heap out of bounds' },
    });
    expect(asked).toEqual([[1, 2]]);
  });

  it('keeps what a paused message changed apart, growth included', () => {
    const host = new MessageHost(growing);
    host.runOk('grow');
    const pending = host.instance.detach();
    expect([host.instance.memoryPages(), word(host.instance, 8)]).toEqual([1, 0]);
    host.instance.commit();
    host.runOk('size');
    host.instance.rollback();
    host.instance.attach(pending);
    expect([host.instance.memoryPages(), word(host.instance, 8)]).toEqual([3, 3]);
    expect(word(host.instance, 150000)).toBe(4);
    expect(host.instance.saveState().globals).toEqual([
      { type: 'i64', bytes: new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0]) },
    ]);
  });

  it('restores a saved state, larger or smaller than its own', () => {
    const host = new MessageHost(growing);
    const small = host.instance.saveState();
    host.runOk('grow');
    host.instance.commit();
    const large = host.instance.saveState();
    host.instance.restoreState(small);
    expect([host.instance.memoryPages(), word(host.instance, 8)]).toEqual([1, 0]);
    expect(host.instance.saveState()).toEqual(small);
    const other = new MessageHost(growing);
    other.instance.restoreState(large);
    expect(other.instance.saveState()).toEqual(large);
  });

  it('runs the start function when told to, not by itself', () => {
    const host = new MessageHost(
      assemble('(module (memory 1) (func $s (i32.store (i32.const 0) (i32.const 7))) (start $s))'),
    );
    expect(word(host.instance, 0)).toBe(0);
    expect(host.instance.run({ start: true }, 1000)).toEqual({ kind: 'returned', instructions: 4 });
    expect(word(host.instance, 0)).toBe(7);
  });

  it('drops data segments for one message', () => {
    const host = new MessageHost(
      assemble(`(module (memory 1) (data $d "abcd")
        (func (export "init") (memory.init $d (i32.const 0) (i32.const 0) (i32.const 4)))
        (func (export "drop") (data.drop $d)
          (memory.init $d (i32.const 0) (i32.const 0) (i32.const 0))
          (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1))))`),
    );
    expect(host.run('drop')).toMatchObject({ trap: { kind: 'heap out of bounds' } });
    host.instance.rollback();
    host.runOk('init');
    expect(Buffer.from(host.instance.readBytes(0, 4)).toString()).toBe('abcd');
  });

  it('refuses host accesses outside of the heap', () => {
    const { instance } = new MessageHost(growing);
    expect(() => instance.readBytes(PAGE - 1, 2)).toThrow(HeapOutOfBounds);
    expect(() => instance.readBytes(-1, 1)).toThrow('address 4294967295 + length 1 exceeds');
    expect(() => {
      instance.writeBytes(2n ** 63n, new Uint8Array(1));
    }).toThrow(HeapOutOfBounds);
    expect(instance.readBytes(PAGE, 0)).toHaveLength(0);
  });

  it('keeps globals of all types bit by bit', () => {
    const host = new MessageHost(
      assemble(`(module (memory 1)
        (global $f (mut f32) (f32.const nan:0x200001)) (global $d (mut f64) (f64.const -nan:0x4))
        (global $v (mut v128) (v128.const i32x4 1 0x7fa00001 3 4))
        (func (export "f") (global.set $f (f32.const 1)) (global.set $d (f64.const 1))
          (global.set $v (v128.const i32x4 0 0 0 0))))`),
    );
    const before = host.instance.saveState();
    expect(before.globals.map(({ bytes }) => Buffer.from(bytes).toString('hex'))).toEqual([
      '0100a07f',
      '040000000000f0ff',
      '010000000100a07f0300000004000000',
    ]);
    host.runOk('f');
    expect(host.instance.saveState().globals).not.toEqual(before.globals);
    host.instance.rollback();
    expect(host.instance.saveState()).toEqual(before);
  });

  it('has a heap of 3 GiB; a message pays for the pages it touches alone', () => {
    const bytes = assemble(`(module (memory 49152)
      (func (export "f") (i32.store (i32.const 3221225468) (i32.const 9)))
      (func (export "oob") (i32.store (i32.const 3221225469) (i32.const 9))))`);
    const host = new MessageHost(bytes, '2026-07');
    host.runOk('f');
    host.instance.commit();
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 100; i++) {
      expect(host.runOk('f')).toBe(4 + 160_000);
      host.instance.commit();
    }
    // Whoever copied or wrote the rest of the heap would have needed memory for it.
    expect(process.memoryUsage.rss() - before).toBeLessThan(256 * 2 ** 20);
    expect(word(host.instance, -1073741828)).toBe(9);
    expect(host.run('oob')).toMatchObject({ trap: { kind: 'heap out of bounds' } });
  });
});
