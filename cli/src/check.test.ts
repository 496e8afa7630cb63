import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { floatConstant, makeNode, writeOnnx } from '@canopy/partitioner';
import { describe, expect, test } from 'vitest';
import { checkOutputs, compareOutput } from './check.js';

const floats = (...data: number[]): { type: string; data: Float32Array; dims: number[] } => ({
  type: 'float32',
  data: Float32Array.from(data),
  dims: [data.length],
});

describe('compareOutput', () => {
  test('tells the largest difference and where it is', () => {
    expect(compareOutput('y', floats(1, 2.5, 3), floats(1, 2, 3), 1e-3)).toEqual({
      output: 'y',
      largestDifference: 0.5,
      equal: false,
      at: { index: 1, given: 2.5, expected: 2 },
    });
    expect(compareOutput('y', floats(1, 2), floats(1, 2), 1e-3)).toEqual({
      output: 'y',
      largestDifference: 0,
      equal: true,
    });
  });

  test('the tolerance is of the number where that is above 1, else absolute', () => {
    expect(compareOutput('y', floats(1000.5), floats(1000), 1e-3).equal).toBe(true);
    expect(compareOutput('y', floats(1002), floats(1000), 1e-3).equal).toBe(false);
    expect(compareOutput('y', floats(0.0005), floats(0), 1e-3).equal).toBe(true);
    expect(compareOutput('y', floats(0.002), floats(0), 1e-3).equal).toBe(false);
  });

  test.each([
    [NaN, NaN, true],
    [Infinity, Infinity, true],
    [-Infinity, Infinity, false],
    [NaN, 1, false],
    [1, NaN, false],
    [3e38, Infinity, false],
    [Infinity, 3e38, false],
  ])('%d beside %d: %s', (given, expected, equal) => {
    expect(compareOutput('y', floats(given), floats(expected), 1e-3)).toMatchObject({
      equal,
      largestDifference: equal ? 0 : Infinity,
    });
  });

  test('whole numbers must be the same', () => {
    const whole = (value: bigint): { type: string; data: BigInt64Array; dims: number[] } => ({
      type: 'int64',
      data: BigInt64Array.of(value),
      dims: [1],
    });
    expect(compareOutput('y', whole(5n), whole(5n), 10).equal).toBe(true);
    expect(compareOutput('y', whole(5n), whole(6n), 10).equal).toBe(false);
    const large = 2n ** 53n;
    expect(compareOutput('y', whole(large), whole(large + 1n), 10).equal).toBe(false);
  });

  test('other types and shapes are told', () => {
    expect(() => compareOutput('y', floats(1), floats(1, 2), 1)).toThrow(
      'output "y" is float32[1], onnxruntime gives float32[2]',
    );
  });
});

describe('checkOutputs', () => {
  test('a product with quantized weights is that of float32 numbers', async () => {
    const weights = Uint8Array.from({ length: 16 }, (_, index) => index);
    const model = writeOnnx({
      name: 'test',
      opsets: new Map([['', 17]]),
      inputs: [{ name: 'x', dtype: 'float32', dims: ['N', 4] }],
      outputs: [{ name: 'y', dtype: 'float32', dims: ['N', 4] }],
      nodes: [
        makeNode('DequantizeLinear', 'weights', ['w', 'scale'], ['f']),
        makeNode('MatMul', 'product', ['x', 'f'], ['y']),
      ],
      constants: new Map([
        [
          'w',
          {
            dtype: 'int8',
            dims: [4, 4],
            read: (start, size) => weights.slice(start, start + size),
          },
        ],
        ['scale', floatConstant([], [0.5])],
      ]),
    });
    const folder = await mkdtemp(join(tmpdir(), 'canopy-check-'));
    try {
      const path = join(folder, 'model.onnx');
      await writeFile(path, model);
      const x = { type: 'float32', data: Float32Array.of(0, 1, 2, 3), dims: [1, 4] };
      const y = { type: 'float32', data: Float32Array.of(28, 31, 34, 37), dims: [1, 4] };
      expect(await checkOutputs(path, { x }, { y }, 0)).toEqual([
        { output: 'y', largestDifference: 0, equal: true },
      ]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
