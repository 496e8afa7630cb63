import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeAttributes, floatWord, OpCode, packMatrix } from '@canopy/protocol';
import { floatConstant } from '../graph/constant.js';
import { weightBytes, type Weight } from '../graph/program.js';
import { packedBytes } from './pack.js';

const size = fc.integer({ min: 1, max: 40 });

function floats(bytes: Uint8Array): number[] {
  return Array.from(new Float32Array(bytes.slice().buffer));
}
function all(weight: Weight): Uint8Array {
  return packedBytes(weight, 0, weightBytes(weight));
}
function sequence(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

describe('packed weights', () => {
  it('of a matrix are what the protocol packs, from rows or columns', () => {
    fc.assert(
      fc.property(size, size, fc.boolean(), (k, n, transposed) => {
        const scale = Float32Array.from({ length: n }, (_, column) => 1 + column / 4);
        const constant = floatConstant(transposed ? [n, k] : [k, n], sequence(k * n));
        const value = (row: number, column: number): number =>
          (transposed ? column * k + row : row * n + column) + 1;
        const expected = packMatrix(k, n, (row, column) => value(row, column) * scale[column]!);
        const weight: Weight = { kind: 'matrix', constant, k, n, transposed, scale };
        expect(floats(all(weight))).toEqual(Array.from(expected));
      }),
    );
  });

  it('of a matrix wider than a part are read in columns', () => {
    const [k, n] = [3, 5000];
    const constant = floatConstant([k, n], sequence(k * n));
    const expected = packMatrix(k, n, (row, column) => row * n + column + 1);
    const weight: Weight = {
      kind: 'matrix',
      constant,
      k,
      n,
      transposed: false,
      scale: undefined,
    };
    expect(floats(all(weight))).toEqual(Array.from(expected));
  });

  it('of filters follow group, kernel and input channel', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        (group, outPerGroup, inChannels, height, width) => {
          const outChannels = group * outPerGroup;
          const k = inChannels * height * width;
          const constant = floatConstant(
            [outChannels, inChannels, height, width],
            sequence(outChannels * k),
          );
          const weight: Weight = { kind: 'filter', constant, group, scale: undefined };
          const expected = Array.from({ length: group }, (_, index) =>
            Array.from(
              packMatrix(k, outPerGroup, (row, column) => {
                const pixel = Math.floor(row / inChannels);
                const channel = row % inChannels;
                return (
                  ((index * outPerGroup + column) * inChannels + channel) * height * width +
                  pixel +
                  1
                );
              }),
            ),
          ).flat();
          expect(floats(all(weight))).toEqual(expected);
        },
      ),
    );
  });

  it('come in parts as they come whole', () => {
    const weights: Weight[] = [
      {
        kind: 'matrix',
        constant: floatConstant([13, 37], sequence(13 * 37)),
        k: 13,
        n: 37,
        transposed: false,
        scale: undefined,
      },
      {
        kind: 'filter',
        constant: floatConstant([22, 3, 2, 2], sequence(264)),
        group: 2,
        scale: undefined,
      },
      {
        kind: 'depthwise',
        constant: floatConstant([7, 1, 3, 3], sequence(63)),
        scale: undefined,
      },
      { kind: 'bias', values: Float32Array.from(sequence(10)), group: 2 },
      { kind: 'plain', constant: floatConstant([9], sequence(9)) },
    ];
    for (const weight of weights) {
      const whole = all(weight);
      fc.assert(
        fc.property(fc.nat(whole.length), fc.nat(whole.length), (a, b) => {
          const [start, end] = [Math.min(a, b), Math.max(a, b)];
          expect(Buffer.from(packedBytes(weight, start, end))).toEqual(
            Buffer.from(whole.subarray(start, end)),
          );
        }),
      );
    }
  });

  it('of a bias are padded group by group', () => {
    const weight: Weight = { kind: 'bias', values: Float32Array.of(1, 2, 3, 4, 5, 6), group: 2 };
    expect(floats(all(weight))).toEqual([1, 2, 3, 0, 4, 5, 6, 0]);
  });
});

describe('attribute words', () => {
  it('are in the order of the operator table', () => {
    expect(floatWord(1)).toBe(0x3f800000);
    const words = encodeAttributes('AveragePool', {
      kernel: [1, 2],
      strides: [3, 4],
      pads: [5, 6, 7, 8],
      dilations: [9, 10],
      ceilMode: true,
      countIncludePad: false,
    });
    expect(words).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 0]);
    expect(OpCode.AveragePool).toBe(12);
  });

  it('hold 64-bit fillings in two words', () => {
    const words = encodeAttributes('ConstantOfShape', { dtype: 'int64', value: -2n });
    expect(words).toEqual([7, 0xfffffffe, 0xffffffff]);
  });
});
