import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  add,
  broadcast,
  ceilDivide,
  evaluate,
  floorDivide,
  maximum,
  minimum,
  multiply,
  quotient,
  same,
  subtract,
  symbol,
  type Dim,
} from './dim.js';

/** A size beside the plain computation of what it should be. */
interface Twin {
  dim: Dim;
  value: (sizes: Record<string, number>) => number;
}

const { twin } = fc.letrec<{ twin: Twin }>((tie) => ({
  twin: fc.oneof(
    { maxDepth: 4 },
    fc.integer({ min: -6, max: 9 }).map((number) => ({ dim: number, value: () => number })),
    fc.constantFrom('a', 'b', 'c').map((name) => ({
      dim: symbol(name),
      value: (sizes: Record<string, number>) => sizes[name]!,
    })),
    fc
      .tuple(fc.constantFrom('+', '-', '*', 'max', 'min', '/'), tie('twin'), tie('twin'))
      .map(([kind, left, right]): Twin => {
        const of =
          (compute: (x: number, y: number) => number): Twin['value'] =>
          (sizes) =>
            compute(left.value(sizes), right.value(sizes));
        const [a, b] = [left.dim, right.dim];
        if (kind === '+') return { dim: add(a, b), value: of((x, y) => x + y) };
        if (kind === '-') return { dim: subtract(a, b), value: of((x, y) => x - y) };
        if (kind === '*') return { dim: multiply(a, b), value: of((x, y) => x * y) };
        if (kind === 'max') return { dim: maximum(a, b), value: of(Math.max) };
        if (kind === 'min') return { dim: minimum(a, b), value: of(Math.min) };
        const by = 1 + (typeof b === 'number' ? Math.abs(b) : 2);
        return {
          dim: floorDivide(a, by),
          value: (sizes) => Math.floor(left.value(sizes) / by),
        };
      }),
  ),
}));
const sizes = fc.record({ a: fc.nat(40), b: fc.nat(40), c: fc.nat(40) });

describe('sizes', () => {
  it('have the value that their parts make, in whatever form they are kept', () => {
    fc.assert(
      fc.property(twin, sizes, ({ dim, value }, given) => {
        expect(evaluate(dim, (name) => given[name as 'a']) + 0).toBe(value(given) + 0);
      }),
      { numRuns: 2000 },
    );
  });

  it('come out of a product again', () => {
    fc.assert(
      fc.property(twin, twin, ({ dim: a }, { dim: b }) => {
        const whole = quotient(multiply(a, b), b);
        if (whole !== undefined && b !== 0) expect(same(whole, a) || a === 0).toBe(true);
      }),
    );
  });

  it('are the same where they are written differently', () => {
    const [h, w] = [symbol('h'), symbol('w')];
    expect(same(multiply(add(h, 1), w), add(multiply(h, w), w))).toBe(true);
    expect(same(ceilDivide(h, 2), floorDivide(add(h, 1), 2))).toBe(true);
    expect(same(floorDivide(add(multiply(h, 4), 7), 2), add(multiply(h, 2), 3))).toBe(true);
    expect(same(floorDivide(multiply(h, 4), 8), floorDivide(h, 2))).toBe(true);
    // Two strides of 2 are a stride of 4.
    const stride = (size: Dim): Dim => add(floorDivide(subtract(size, 1), 2), 1);
    expect(same(stride(stride(h)), add(floorDivide(subtract(h, 1), 4), 1))).toBe(true);
    expect(quotient(add(multiply(h, w), w), add(h, 1))).toEqual(w);
    expect(quotient(h, w)).toBeUndefined();
    expect(maximum(add(h, 1), h)).toEqual(add(h, 1));
  });

  it('are broadcast as numpy does', () => {
    const [h, w] = [symbol('h'), symbol('w')];
    expect(broadcast(1, h)).toEqual(h);
    expect(broadcast(h, 5)).toBe(5);
    expect(broadcast(minimum(128, h), h)).toEqual(h);
    const both = broadcast(h, w);
    const at = (height: number, width: number): number =>
      evaluate(both, (name) => (name === 'h' ? height : width));
    expect([at(1, 7), at(7, 1), at(7, 7), at(1, 0)]).toEqual([7, 7, 7, 0]);
  });

  it('are told in one form', () => {
    const size = add(multiply(symbol('seq'), 2), 1);
    expect(String(size)).toBe('2*seq + 1');
    expect(String(floorDivide(subtract(symbol('a dim'), 1), 2))).toBe('floor(("a dim" + 1)/2) - 1');
  });
});
