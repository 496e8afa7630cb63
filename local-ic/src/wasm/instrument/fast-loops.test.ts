import { describe, expect, it } from 'vitest';
import { kernels } from '../bench/kernels.js';
import { analyse } from '../testing/analyse.js';
import type { FastLoop } from './fast-loops.js';

const loops = (body: string): FastLoop[] => [
  ...analyse(
    `(module (memory 1) (func (param $p i32) (param $n i32) (param $s i32) (local $i i32) ${body}))`,
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
          high: 47,
          step: { constant: 16, variable: undefined },
          write: false,
        },
      ],
    });
  });

  it('look up fewer turns where the steps are long, and step backwards too', () => {
    const turns = (bytes: number): number | undefined =>
      loops(
        `(loop $l (i32.store (local.get $p) (i32.const 0)) ${step.replace('16', `${bytes}`)} ${again})`,
      )[0]?.turns;
    expect([16, -16, 0].map(turns)).toEqual([64, 64, 64]);
    // 15 steps of 4096 and four bytes more are within 64 KiB, 16 are not.
    expect([4096, -4096].map(turns)).toEqual([16, 16]);
    expect([20_000, 30_000].map(turns)).toEqual([4, undefined]);
  });

  it('compute addresses from an index', () => {
    const [loop] = loops(`(loop $l (if (i32.lt_s (local.get $i) (local.get $n)) (then
      (drop (i32.load (i32.add (local.get $p) (i32.shl (local.get $i) (i32.const 2)))))
      (local.set $i (i32.add (local.get $i) (i32.const 1))) (br $l))))`);
    expect(loop!.conditions).toMatchObject([
      { address: { kind: 'operation' }, low: 0, high: 3, step: { constant: 4 } },
    ]);
  });

  it('take steps that are not known before, but do not change in the loop', () => {
    const [loop] = loops(`(loop $l (drop (i32.load (local.get $p)))
      (local.set $p (i32.add (local.get $p) (local.get $s)))
      (local.set $p (i32.add (i32.const 4) (local.get $p))) ${again})`);
    expect(loop!.conditions).toMatchObject([
      { step: { constant: 4, variable: { kind: 'local', local: 2, offset: 0 } } },
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
      `(loop $l (drop ${load}) (local.set $p (i32.add (local.get $p) (local.get $s)))
         (local.set $s (i32.load (i32.const 0))) ${again})`,
      `(loop $l (drop ${load}) (local.set $p (i32.mul (local.get $p) (i32.const 3))) ${again})`,
      `(loop $l (drop ${load}) ${step.replace('16', '30000')} ${again})`,
    ]) {
      expect([body, loops(body)]).toEqual([body, []]);
    }
  });
});
