import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeAttributes,
  encodeAttributes,
  OpCode,
  operators,
  type OpAttributes,
  type OpName,
} from './index.js';

const names = Object.keys(operators) as OpName[];

describe('operators', () => {
  it('have codes of their own', () => {
    const codes = names.map((name) => OpCode[name]);
    expect(new Set(codes).size).toBe(names.length);
  });

  it('have lists behind attributes of fixed length, and all that is left last', () => {
    for (const name of names) {
      const types = Object.values(operators[name].attributes);
      const firstList = types.findIndex(({ words }) => words === undefined);
      const behind = firstList < 0 ? [] : types.slice(firstList);
      expect(
        behind.every(({ words }) => words === undefined),
        name,
      ).toBe(true);
      expect(
        types.slice(0, -1).some(({ kind }) => kind === 'rest'),
        name,
      ).toBe(false);
    }
  });

  it('read other words than their own as what they are, or refuse them', () => {
    const words = fc.array(fc.integer({ min: 0, max: 0xffffffff }), { maxLength: 20 });
    fc.assert(
      fc.property(fc.constantFrom(...names), words, (name, given) => {
        let values: OpAttributes[OpName];
        try {
          values = decodeAttributes(name, given);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          return;
        }
        expect(encodeAttributes(name, values)).toHaveLength(given.length);
      }),
    );
  });
});

describe('attributes', () => {
  it('come back from their words', () => {
    const values: { [Op in OpName]?: OpAttributes[Op] } = {
      Reduce: { kind: 'max', keepDims: true, axes: [-1, 2] },
      Transpose: { permutation: [2, 0, 1] },
      ConstantOfShape: { dtype: 'int64', value: -2n },
      Cast: { to: 'bfloat16' },
      LayerNorm: { axis: -1, epsilon: 0.5 },
      Linear: {
        k: 3,
        n: 4,
        epilogue: { activation: 'clip', alpha: -0.5, beta: 2, scale: 1, shift: 0.25 },
      },
    };
    for (const [name, given] of Object.entries(values)) {
      const words = encodeAttributes(name as OpName, given);
      expect(decodeAttributes(name as OpName, words)).toEqual(given);
    }
  });
});
