import { describe, expect, it } from 'vitest';
import type { BundleTensor } from '@canopy/protocol';
import { lowered, makeGraph, reference, runProgram } from '../../testing/run-program.js';
import { memoryConstant } from '../constant.js';
import { makeNode } from '../graph.js';
import { widenedConstant } from './widen-constant.js';

const bitsOf = (...values: number[]): Uint8Array => new Uint8Array(Uint16Array.from(values).buffer);

describe('constants of halves', () => {
  it('are the same numbers in f32, also in parts', () => {
    const bits = [0x3c00, 0x8000, 0x0001, 0x83ff, 0x7bff, 0xfc00, 0x3555];
    const wide = widenedConstant(memoryConstant('float16', [7], bitsOf(...bits)));
    const whole = wide.read(0, 28);
    const numbers = [...new Float32Array(whole.slice().buffer)];
    expect(numbers).toEqual([1, -0, 2 ** -24, -1023 * 2 ** -24, 65504, -Infinity, 0.333251953125]);
    for (const [start, length] of [
      [0, 3],
      [5, 7],
      [27, 1],
      [8, 20],
    ] as const) {
      expect([...wide.read(start, length)]).toEqual([...whole.subarray(start, start + length)]);
    }
  });

  it('of bfloat16 are the upper halves', () => {
    const wide = widenedConstant(memoryConstant('bfloat16', [2], bitsOf(0x3f80, 0xc049)));
    const numbers = [...new Float32Array(wide.read(0, 8).slice().buffer)];
    expect(numbers).toEqual([1, -3.140625]);
  });
});

function halves(tensor: BundleTensor): number[] {
  return Array.from(new Uint16Array(tensor.data.slice().buffer), (bits) => {
    const wide = widenedConstant(memoryConstant('float16', [1], bitsOf(bits)));
    return new Float32Array(wide.read(0, 4).slice().buffer)[0]!;
  });
}

it('a model of float16 gives what onnxruntime does', async () => {
  const weight = memoryConstant(
    'float16',
    [2, 3],
    bitsOf(0x3c00, 0xbc00, 0x3800, 0x4000, 0, 0x3400),
  );
  const graph = makeGraph({
    inputs: [{ name: 'x', dtype: 'float16', dims: ['N', 2] }],
    outputs: [{ name: 'y', dtype: 'float16', dims: undefined }],
    nodes: [
      makeNode('MatMul', 'product', ['x', 'w'], ['a']),
      makeNode('Tanh', 'tanh', ['a'], ['b']),
      makeNode('Transpose', 'move', ['b'], ['y']),
    ],
    constants: { w: weight },
  });
  const { program, sizes } = await lowered(graph);
  const { feeds, expected } = await reference(graph, sizes);
  const [actual] = await runProgram(program, feeds);
  expect(actual!.dtype).toBe('float16');
  expect(actual!.dims).toEqual(expected[0]!.dims);
  const wanted = halves(expected[0]!);
  halves(actual!).forEach((value, index) => {
    expect(Math.abs(value - wanted[index]!)).toBeLessThan(2e-3);
  });
});
