import { int4Block, int4BlockBytes, packInt8 } from '@canopy/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { floatConstant } from '../graph/constant.js';
import { weightBytes, type IntegerWeight, type MatrixWeight } from '../graph/program.js';
import { int8Scales } from './integer-weights.js';
import { packedBytes } from './pack.js';

const value = (row: number, column: number): number => Math.sin(row * 1.3 + column * 7.1) * 3;

function matrix(k: number, n: number, transposed = false, scale?: Float32Array): MatrixWeight {
  const numbers = Array.from({ length: k * n }, (_, i) =>
    transposed ? value(i % k, Math.floor(i / k)) : value(Math.floor(i / n), i % n),
  );
  const constant = floatConstant(transposed ? [n, k] : [k, n], numbers);
  return { kind: 'matrix', constant, k, n, transposed, scale };
}

const kinds: ((matrix: MatrixWeight) => IntegerWeight)[] = [
  (of) => ({ kind: 'int8', matrix: of }),
  (of) => ({ kind: 'int4', matrix: of, block: 32 }),
  (of) => ({ kind: 'int4', matrix: of, block: 128 }),
];
const size = (max: number) => fc.integer({ min: 1, max });

/** What int4 bytes of one piece stand for. */
function int4Value(bytes: Uint8Array, k: number, row: number, column: number): number {
  const blocks = Math.ceil(k / int4Block);
  const at =
    (Math.floor(column / 4) * blocks + Math.floor(row / int4Block)) * int4BlockBytes +
    Math.floor((row % int4Block) / 8) * 16;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const lane = view.getUint16(at + 2 * ((column % 4) * 2 + (row & 1)), true);
  const block = at - Math.floor((row % int4Block) / 8) * 16;
  const scale = view.getFloat32(block + 64 + 4 * (column % 4), true);
  return (((lane >> (4 * ((row % 8) >> 1))) & 15) - 8) * scale;
}

describe('integer weights', () => {
  it('are the same in any parts, and of a matrix stored by columns', () => {
    fc.assert(
      fc.property(
        size(600),
        size(30),
        fc.constantFrom(...kinds),
        fc.nat(),
        fc.nat(),
        (k, n, of, first, second) => {
          const weight = of(matrix(k, n));
          const bytes = weightBytes(weight);
          const whole = packedBytes(weight, 0, bytes);
          const [start, end] = [first % (bytes + 1), second % (bytes + 1)].sort((a, b) => a - b);
          expect(packedBytes(weight, start!, end!)).toEqual(whole.slice(start, end));
          expect(packedBytes(of(matrix(k, n, true)), 0, bytes)).toEqual(whole);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('int8: each column rounded to 127ths of its largest number', () => {
    const [k, n] = [40, 6];
    const weight = matrix(k, n);
    const scales = int8Scales(weight);
    expect(scales).toHaveLength(8);
    for (let column = 0; column < n; column++) {
      const most = Math.max(
        ...Array.from({ length: k }, (_, row) => Math.abs(Math.fround(value(row, column)))),
      );
      expect(scales[column]).toBe(Math.fround(most / 127));
    }
    const expected = packInt8(k, n, (row, column) =>
      Math.round(Math.fround(value(row, column)) / scales[column]!),
    );
    const packed = packedBytes({ kind: 'int8', matrix: weight }, 0, expected.length);
    expect(new Int8Array(packed.buffer)).toEqual(expected);
  });

  it.each([32, 128] as const)('int4: in blocks of %i, off by half a step at most', (block) => {
    const [k, n] = [200, 7];
    const weight: IntegerWeight = { kind: 'int4', matrix: matrix(k, n), block };
    const bytes = packedBytes(weight, 0, weightBytes(weight));
    for (let row = 0; row < k; row++) {
      for (let column = 0; column < n; column++) {
        const first = row - (row % block);
        const most = Math.max(
          ...Array.from({ length: Math.min(block, k - first) }, (_, i) =>
            Math.abs(value(first + i, column)),
          ),
        );
        const off = Math.abs(int4Value(bytes, k, row, column) - value(row, column));
        expect(off).toBeLessThanOrEqual((most / 7 / 2) * 1.0001);
      }
    }
  });

  it('take in the scale of each column', () => {
    const scale = Float32Array.of(2, -0.5, 1, 3);
    const scaled = int8Scales(matrix(50, 4, false, scale));
    const plain = int8Scales(matrix(50, 4));
    scaled.forEach((one, column) => {
      expect(one).toBeCloseTo(plain[column]! * Math.abs(scale[column]!), 6);
    });
  });

  it('of columns of zeros are zeros', () => {
    const zeros = { ...matrix(32, 4), constant: floatConstant([32, 4], new Float32Array(128)) };
    for (const of of kinds) {
      const weight = of(zeros);
      const bytes = packedBytes(weight, 0, weightBytes(weight));
      if (weight.kind === 'int8') expect(bytes.every((byte) => byte === 0)).toBe(true);
      else expect(int4Value(bytes, 32, 5, 2)).toBe(0);
    }
  });
});
