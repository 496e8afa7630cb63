import { beforeAll, describe, expect, it } from 'vitest';
import {
  Activation,
  BinaryKind,
  DType,
  OpCode,
  ReduceKind,
  UnaryKind,
  type OpName,
} from '@canopy/protocol';
import { Engine, f32Bits, noEpilogue, type TestTensor } from './engine.js';
import { ints, random } from './compare.js';

import { inTables } from './operators/own-test.js';

/** Addresses of 2^31 and more, which are negative where somebody takes them for signed ones. */
type Case = [inputs: (TestTensor | undefined)[], words?: number[]];

const one = f32Bits(1);
const gelu = [Activation.gelu, 0, 0, one, 0];
const x = (...dims: number[]): TestTensor => random(dims);
const bools: TestTensor = {
  dtype: 'bool',
  dims: [9001],
  data: Array.from({ length: 9001 }, (_, i) => i % 2),
};
const long = (dims: number[]): TestTensor => ({
  dtype: 'int64',
  dims,
  data: Array.from({ length: dims.reduce((p, d) => p * d, 1) }, (_, i) => i % 7),
});
const image = [3, 3, 1, 1, 1, 1, 1, 1, 1, 1];

/** Every operator with tensors of some ten KiB, so that some lie across a border; kernels of all kinds. */
const cases: Partial<Record<OpName, Case[]>> = {
  Linear: [
    [
      [x(70, 65), x(65 * 20), x(20)],
      [65, 18, ...gelu],
    ],
    [
      [x(1, 65), x(65 * 260), x(260)],
      [65, 258, ...noEpilogue],
    ],
  ],
  Conv: [
    [
      [x(1, 9, 9, 20), x(180 * 8), x(8)],
      [...image, 1, 20, 6, ...gelu],
    ],
    [
      [x(1, 9, 9, 3), x(27 * 36), x(36)],
      [...image, 1, 3, 33, ...noEpilogue],
    ],
  ],
  DepthwiseConv: [
    [
      [x(1, 13, 13, 22), x(9 * 24), x(24)],
      [...image, 22, 22, 22, ...gelu],
    ],
  ],
  MatMul: [
    [
      [x(3, 40, 30), x(3, 30, 37)],
      [0, 0, f32Bits(0.5)],
    ],
    [
      [x(30, 40), x(37, 30)],
      [1, 1, one],
    ],
    [
      [x(1, 90), x(90, 91)],
      [0, 0, one],
    ],
    [
      [x(1, 90), x(91, 90)],
      [0, 1, one],
    ],
  ],
  Binary: [
    [
      [x(3, 1001), x(3, 1)],
      [BinaryKind.mul, ...gelu],
    ],
    [
      [x(3, 1001), x(1001)],
      [BinaryKind.pow, ...noEpilogue],
    ],
    [
      [long([1001]), long([1001])],
      [BinaryKind.less, ...noEpilogue],
    ],
  ],
  Unary: [
    [[x(4001)], [UnaryKind.gelu, 0, 0]],
    [[x(4001)], [UnaryKind.log, 0, 0]],
    [[bools], [UnaryKind.not, 0, 0]],
  ],
  Cast: [
    [[x(4001)], [DType.int64]],
    [[x(4001)], [DType.float32]],
  ],
  Softmax: [
    [[x(50, 90)], [1]],
    [[x(50, 90)], [0]],
  ],
  LayerNorm: [
    [
      [x(50, 90), x(90), x(90)],
      [1, f32Bits(1e-5)],
    ],
  ],
  Reduce: [
    [[x(50, 90)], [ReduceKind.mean, 0, 1, 1]],
    [[x(50, 90)], [ReduceKind.max, 0, 1, 0]],
    [[long([50, 90])], [ReduceKind.sum, 0, 1, 0]],
  ],
  MaxPool: [[[x(1, 15, 15, 19)], [...image, 0]]],
  AveragePool: [[[x(1, 15, 15, 19)], [...image, 0, 1]]],
  GlobalAveragePool: [[[x(2, 10, 10, 19)]]],
  Transpose: [
    [[x(50, 90)], [1, 0]],
    [[x(9, 50, 10)], [1, 0, 2]],
    [[x(3, 1500)], [1, 0]],
    [[long([50, 90])], [1, 0]],
  ],
  Reshape: [[[x(50, 90), ints([-1])], [0]]],
  Shape: [[[x(50, 90)], [0, 2]]],
  Gather: [
    [[x(50, 90), ints([3, -1, 3])], [0]],
    [[x(50, 90), ints([3, -1])], [1]],
  ],
  Slice: [
    [[x(50, 90), ints([-1, 80]), ints([-60, 2]), ints([0, 1]), ints([-1, -3])]],
    [[x(50, 90), ints([3]), ints([40]), ints([0])]],
  ],
  Concat: [
    [[x(50, 90), x(50, 3)], [1]],
    [[x(50, 90), x(3, 90)], [0]],
  ],
  Squeeze: [[[x(1, 4001)]]],
  Unsqueeze: [[[x(4001), ints([0])]]],
  Flatten: [[[x(50, 90)], [1]]],
  Expand: [[[x(90, 1), ints([1, 50])]], [[x(1, 90), ints([50, 90])]]],
  Where: [[[bools, x(9001), x(1)]]],
  ConstantOfShape: [[[ints([50, 90])], [DType.float32, one, 0]]],
  Range: [[[ints([3], []), ints([3000], []), ints([2], [])]]],
  Pad: [0, 1, 2].map((mode): Case => [[x(50, 90), ints([3, 4, 5, 6])], [mode]]),
  Identity: [[[x(4001)]]],
};

/** First address that blocks may not use: the heap's default limit. */
const heapLimit = 0xffff0000;
const gibibyte = 2 ** 30;

describe('tensors', () => {
  let low: Engine;
  beforeAll(async () => {
    low = await Engine.create();
  });

  it.each([
    ['across 2 GiB', 2 * gibibyte - 24 * 1024],
    ['beyond 2 GiB', 2 * gibibyte + 65536],
    ['at the end of the heap', heapLimit - 160 * 1024],
  ])('%s', async (_, end) => {
    const high = await Engine.create();
    high.occupyUntil(end);
    expect(high.heapEnd()).toBeGreaterThan(end - 128);
    expect(Object.keys(cases).sort()).toEqual([...inTables].sort());
    for (const [op, all] of Object.entries(cases)) {
      for (const [inputs, words] of all) {
        for (const dies of [[], [0]]) {
          const run = (engine: Engine): TestTensor[] =>
            engine.run(OpCode[op as OpName], inputs, words, { dies });
          expect(run(high), op).toEqual(run(low));
        }
      }
    }
  });

  it('that do not fit behind the last block are refused', async () => {
    const high = await Engine.create();
    high.occupyUntil(2 * gibibyte + 65536);
    high.limitHeap(16 * 1024);
    expect(() => high.run('Expand', [x(1), ints([5000])])).toThrow('no room for 20000 bytes');
  });
});
