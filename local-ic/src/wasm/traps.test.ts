import { describe, expect, it } from 'vitest';
import { TrapSignal } from './errors.js';
import { CanisterInstance } from './instance.js';
import { compileModule } from './module.js';
import { assemble } from './testing/assemble.js';
import { MessageHost } from './testing/message-host.js';
import { describeFrame } from './trap.js';
import type { Trap } from './types.js';

const text = `(module (memory 1) (table 2 funcref) (type $v (func)) (elem (i32.const 1) $long)
  (global $z (mut i32) (i32.const 0)) (global $nan (mut f64) (f64.const nan))
  (func $long (param i64))
  (func $deep (param i64) (result i64)
    (i64.add (call $deep (i64.add (local.get 0) (i64.const 1))) (i64.const 1)))
  (func (export "convert") (drop (i32.trunc_f64_s (global.get $nan))))
  (func (export "saturate") (drop (i32.trunc_sat_f64_s (global.get $nan))))
  (func (export "div") (drop (i32.div_u (i32.const 1) (global.get $z))))
  (func (export "rem") (drop (i64.rem_s (i64.const 1) (i64.extend_i32_u (global.get $z)))))
  (func (export "overflow")
    (drop (i32.div_s (i32.const -2147483648) (i32.sub (global.get $z) (i32.const 1)))))
  (func (export "unreachable") (unreachable))
  (func (export "load") (drop (i32.load (i32.sub (i32.const 65533) (global.get $z)))))
  (func (export "store") (i32.store (i32.const 65533) (i32.const 1)))
  (func (export "offset") (drop (i32.load offset=4294967295 (global.get $z))))
  (func (export "wrap") (drop (i32.load offset=8 (i32.const -4))))
  (func (export "fill") (memory.fill (i32.const 65535) (i32.const 1) (i32.const 2)))
  (func (export "copy") (memory.copy (i32.const 0) (i32.const 65535) (i32.const 2)))
  (func (export "empty slot") (call_indirect (type $v) (global.get $z)))
  (func (export "wrong type") (call_indirect (type $v) (i32.const 1)))
  (func (export "table") (call_indirect (type $v) (i32.const 2)))
  (func (export "recursion") (drop (call $deep (i64.const 0))))
  (func (export "forever") (loop $l (br $l)))
  (func (export "no entry") (param i32)))`;
const module = assemble(text);

function trapOf(name: string, limit?: number): Trap {
  const outcome = new MessageHost(module).run(name, undefined, limit);
  if (outcome.kind !== 'trapped') throw new Error(`${name} returned`);
  return outcome.trap;
}

describe('traps', () => {
  it.each([
    ['convert', 'bad conversion to integer'],
    ['div', 'integer division by 0'],
    ['rem', 'integer division by 0'],
    ['overflow', 'integer overflow'],
    ['unreachable', 'unreachable'],
    ['load', 'heap out of bounds'],
    ['store', 'heap out of bounds'],
    ['offset', 'heap out of bounds'],
    ['wrap', 'heap out of bounds'],
    ['fill', 'heap out of bounds'],
    ['copy', 'heap out of bounds'],
    ['empty slot', 'null function'],
    ['wrong type', 'signature mismatch'],
    ['table', 'table out of bounds'],
    ['recursion', 'stack overflow'],
    ['not there', 'no such function'],
  ])('%s: %s', (name, kind) => {
    expect(trapOf(name).kind).toBe(kind);
  });

  it('a saturating conversion does not trap', () => {
    expect(new MessageHost(module).run('saturate').kind).toBe('returned');
  });

  it('an exhausted counter, at the limit exactly', () => {
    // Entry 1; each turn of the loop: br 2.
    const outcome = new MessageHost(module).run('forever', undefined, 1001);
    expect(outcome).toMatchObject({ kind: 'trapped', instructions: 1001 });
    expect(trapOf('forever', 1001).kind).toBe('instruction limit');
  });

  it('what a host function throws', () => {
    const bytes = assemble(`(module (import "ic0" "msg_reply" (func $f)) (memory 1)
      (func (export "f") (call $f)))`);
    const instance = new CanisterInstance(compileModule(bytes, '2026-07'), {
      msg_reply: () => {
        throw new RangeError('from the host');
      },
    });
    expect(instance.run({ export: 'f' }, 1000)).toMatchObject({
      trap: { kind: 'host', error: new RangeError('from the host'), backtrace: [{ index: 1 }] },
    });
  });

  it('a trap signal of a host function, by its kind', () => {
    const bytes = assemble(`(module (import "ic0" "msg_reply" (func $f)) (memory 1)
      (func (export "f") (call $f)))`);
    const instance: CanisterInstance = new CanisterInstance(compileModule(bytes, '2026-07'), {
      msg_reply: () => {
        instance.charge(2000);
      },
    });
    const outcome = instance.run({ export: 'f' }, 1000);
    expect(outcome).toMatchObject({ trap: { kind: 'instruction limit' }, instructions: 1000 });
    expect(new TrapSignal('instruction limit').kind).toBe('instruction limit');
  });

  it('names functions by the indices of the module as uploaded, and by its name section', () => {
    expect(trapOf('unreachable').backtrace).toEqual([{ index: 7 }]);
    const name = new Uint8Array([0, 11, 4, 0x6e, 0x61, 0x6d, 0x65, 1, 4, 1, 7, 1, 0x75]);
    const outcome = new MessageHost(Buffer.concat([module, name])).run('unreachable');
    expect(outcome).toMatchObject({ trap: { backtrace: [{ index: 7, name: 'u' }] } });
  });

  it('lists functions as the replica does, which counts its own five imports', () => {
    expect(describeFrame({ index: 82 })).toBe('unknown function at index 87');
    expect(describeFrame({ index: 82, name: 'run' })).toBe('run');
  });

  it('callbacks: one address, no result, in table 0', () => {
    const bytes = assemble(`(module (memory 1) (table 3 funcref) (elem (i32.const 0) $ok $wide)
      (func $ok (param i32) (i32.store (i32.const 0) (local.get 0))) (func $wide (param i64)))`);
    const { instance } = new MessageHost(bytes);
    expect(instance.run({ table: 0, arg: -2 }, 1000)).toEqual({
      kind: 'returned',
      instructions: 4,
    });
    expect([...instance.readBytes(0, 4)]).toEqual([254, 255, 255, 255]);
    for (const [table, kind] of [
      [1, 'signature mismatch'],
      [2, 'null entry'],
      [3, 'no such function'],
      [4_000_000_000, 'no such function'],
    ] as const) {
      expect(instance.run({ table, arg: 0 }, 1000)).toMatchObject({ trap: { kind } });
    }
    const without = new MessageHost(assemble('(module (memory 1))'));
    expect(without.instance.run({ table: 0, arg: 0 }, 1000)).toMatchObject({
      trap: { kind: 'no table' },
    });
  });
});
