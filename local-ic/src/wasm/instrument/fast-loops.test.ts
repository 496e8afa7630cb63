import { describe, expect, it } from 'vitest';
import { kernels } from '../bench/kernels.js';
import { analyse } from '../testing/analyse.js';
import type { FastLoop } from './fast-loops.js';

const loops = (body: string): FastLoop[] => [
  ...analyse(
    `(module (memory 1) (func (param $p i32) (param $n i32) (local $i i32) ${body}))`,
  ).flow.fastLoops.values(),
];
const step = '(local.set $p (i32.add (local.get $p) (i32.const 16)))';
const again = '(br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))';

describe('fast versions of loops', () => {
  it.each(
    kernels.filter(({ name }) => name !== 'pointer chase').map(({ name, text }) => [name, text]),
  )('are found in kernels: %s', (_, text) => {
    expect(analyse(text).flow.fastLoops.size).toBe(1);
  });

  it('look up the bytes of 64 turns at once', () => {
    const [loop] = loops(`(loop $l (drop (v128.load offset=32 (local.get $p))) ${step} ${again})`);
    expect(loop).toMatchObject({
      turns: 64,
      conditions: [
        {
          address: { kind: 'local', local: 0, offset: 0 },
          low: 32,
          high: 32 + 15 + 63 * 16,
          write: false,
        },
      ],
    });
  });

  it('look up fewer turns where the steps are long, and step backwards too', () => {
    const far = step.replace('16', '4096');
    const [loop] = loops(`(loop $l (i32.store (local.get $p) (i32.const 0)) ${far} ${again})`);
    // 15 steps of 4096 and four bytes more are within 64 KiB, 16 are not.
    expect(loop).toMatchObject({
      turns: 16,
      conditions: [{ low: 0, high: 15 * 4096 + 3, write: true }],
    });
    const back = step.replace('16', '-16');
    expect(
      loops(`(loop $l (i32.store (local.get $p) (i32.const 0)) ${back} ${again})`),
    ).toMatchObject([{ turns: 64, conditions: [{ low: -63 * 16, high: 3 }] }]);
  });

  it('compute addresses from an index', () => {
    const [loop] = loops(`(loop $l (if (i32.lt_s (local.get $i) (local.get $n)) (then
      (drop (i32.load (i32.add (local.get $p) (i32.shl (local.get $i) (i32.const 2)))))
      (local.set $i (i32.add (local.get $i) (i32.const 1))) (br $l))))`);
    expect(loop!.conditions).toMatchObject([
      { address: { kind: 'operation' }, low: 0, high: 63 * 4 + 3 },
    ]);
  });

  it('are not given to loops that call, trap, branch otherwise or jump about in memory', () => {
    const load = '(i32.load (local.get $p))';
    for (const body of [
      `(loop $l (drop (memory.grow (i32.const 0))) ${again})`,
      `(loop $l (drop (i32.div_u (local.get $p) (local.get $n))) ${again})`,
      `(loop $l (if (local.get $p) (then (nop))) ${again})`,
      `(block $b (loop $l (br_if $b (local.get $p)) ${again}))`,
      `(loop $l (local.set $p ${load}) ${again})`,
      `(loop $l (drop ${load}) (local.set $p (i32.mul (local.get $p) (i32.const 3))) ${again})`,
      `(loop $l (drop ${load}) ${step.replace('16', '30000')} ${again})`,
    ]) {
      expect([body, loops(body)]).toEqual([body, []]);
    }
  });
});
