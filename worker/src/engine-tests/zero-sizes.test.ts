import { beforeAll, describe, expect, it } from 'vitest';
import { BinaryKind, DType, ReduceKind, UnaryKind, type OpName } from '@canopy/protocol';
import { Engine, f32Bits, noEpilogue, type TestTensor } from './engine.js';
import { expectClose, floats, ints, random } from './compare.js';
import {
  channelsFirst,
  channelsLast,
  depthwiseFilter,
  packedFilter,
  packedWeights,
  paddedBias,
} from './layout.js';
import { onnxruntime, type OnnxNode } from './onnxruntime.js';

import { inTables } from './operators/own-test.js';

/** Tensors without elements: wherever onnxruntime answers, so does the engine, and the same. */
let engine: Engine;
beforeAll(async () => {
  engine = await Engine.create();
});

interface Case {
  node: OnnxNode;
  words?: number[];
  /** Inputs as the engine takes them, where they are laid out in another way. */
  inputs?: OnnxNode['inputs'];
  /** The result as onnxruntime lays it out. */
  back?: (tensor: TestTensor) => TestTensor;
}

const one = f32Bits(1);
const x = (...dims: number[]): TestTensor => random(dims);
const longs = (dims: number[]): TestTensor => ({
  dtype: 'int64',
  dims,
  data: new Array<number>(product(dims)).fill(1),
});
const bools = (dims: number[]): TestTensor => ({
  dtype: 'bool',
  dims,
  data: new Array<number>(product(dims)).fill(1),
});
const product = (dims: readonly number[]): number => dims.reduce((p, d) => p * d, 1);

/** Every shape of `dims` with one or more of them 0. */
function withZeros(dims: readonly number[]): number[][] {
  const masks = Array.from({ length: 2 ** dims.length - 1 }, (_, i) => i + 1);
  return masks.map((mask) => dims.map((dim, i) => ((mask >> i) & 1 ? 0 : dim)));
}

function reduce(
  kind: keyof typeof ReduceKind,
  dims: number[],
  axes: number[],
  keepdims: number,
): Case {
  const type = `Reduce${{ mean: 'Mean', sum: 'Sum', max: 'Max', min: 'Min', prod: 'Prod', sumSquare: 'SumSquare', l2: 'L2' }[kind]}`;
  const words = [ReduceKind[kind], keepdims, axes.length, ...axes];
  // Axes are an input in newer versions; for these the older form is enough but for sums.
  if (kind === 'sum') {
    return { node: { type, inputs: [x(...dims), ints(axes)], attributes: { keepdims } }, words };
  }
  return { node: { type, inputs: [x(...dims)], attributes: { keepdims, axes } }, words };
}

function conv(dims: [number, number, number, number], outC: number, pad: number, group = 1): Case {
  const filter = random([outC, dims[1] / group, 3, 3], 2);
  const bias = random([outC], 3);
  const depthwise = group > 1;
  const words = [3, 3, 1, 1, pad, pad, pad, pad, 1, 1, group, dims[1], outC, ...noEpilogue];
  return {
    node: {
      type: 'Conv',
      inputs: [x(...dims), filter, bias],
      attributes: { pads: [pad, pad, pad, pad], group },
    },
    words,
    inputs: [
      channelsLast(x(...dims)),
      depthwise ? depthwiseFilter(filter) : packedFilter(filter, group),
      paddedBias(bias),
    ],
    back: channelsFirst,
  };
}

const window = [2, 2, 2, 2, 0, 0, 0, 0, 1, 1];

function pool(type: 'MaxPool' | 'AveragePool' | 'GlobalAveragePool', dims: number[]): Case {
  const attributes = type === 'GlobalAveragePool' ? {} : { kernel_shape: [2, 2], strides: [2, 2] };
  return {
    node: { type, inputs: [x(...dims)], attributes },
    words: { GlobalAveragePool: [], MaxPool: [...window, 0], AveragePool: [...window, 0, 0] }[type],
    inputs: [channelsLast(x(...dims))],
    back: channelsFirst,
  };
}

function linear(rows: number, k: number, n: number): Case {
  const [weight, bias] = [random([k, n], 2), random([n], 3)];
  return {
    node: { type: 'Gemm', inputs: [x(rows, k), weight, bias] },
    words: [k, n, ...noEpilogue],
    inputs: [x(rows, k), packedWeights(weight, k, n), paddedBias(bias)],
  };
}

const of = (node: OnnxNode, words: number[] = []): Case => ({ node, words });

const cases: Partial<Record<OpName, () => Case[]>> = {
  Linear: () => [linear(0, 3, 4), linear(2, 0, 5), linear(0, 0, 4)],
  Conv: () => [conv([0, 3, 4, 4], 4, 0), conv([0, 4, 4, 4], 5, 1), conv([0, 3, 2, 9], 4, 1)],
  DepthwiseConv: () => [conv([0, 4, 4, 4], 4, 0, 4), conv([0, 6, 5, 3], 6, 1, 6)],
  MatMul: () =>
    (
      [
        [
          [2, 0],
          [0, 3],
        ],
        [
          [64, 0],
          [0, 17],
        ],
        [
          [0, 4],
          [4, 3],
        ],
        [
          [2, 4],
          [4, 0],
        ],
        [
          [0, 2, 4],
          [0, 4, 3],
        ],
        [
          [0, 2, 4],
          [4, 3],
        ],
        [
          [3, 2, 0],
          [3, 0, 3],
        ],
        [[0], [0]],
      ] as const
    ).map(([a, b]) => of({ type: 'MatMul', inputs: [x(...a), x(...b)] }, [0, 0, one])),
  Binary: () => [
    ...withZeros([2, 3]).flatMap((dims) =>
      [dims, [1], [1, 1], dims.slice(1)].map((other) =>
        of({ type: 'Add', inputs: [x(...dims), x(...other)] }, [BinaryKind.add, ...noEpilogue]),
      ),
    ),
    of({ type: 'Less', inputs: [longs([0, 2]), longs([2])], outputs: ['bool'] }, [
      BinaryKind.less,
      ...noEpilogue,
    ]),
  ],
  Unary: () => [
    of({ type: 'Exp', inputs: [x(2, 0)] }, [UnaryKind.exp, 0, 0]),
    of({ type: 'Not', inputs: [bools([0])] }, [UnaryKind.not, 0, 0]),
  ],
  Cast: () => [
    of({ type: 'Cast', inputs: [x(0, 3)], attributes: { to: DType.int64 }, outputs: ['int64'] }, [
      DType.int64,
    ]),
    of({ type: 'Cast', inputs: [x(0, 3)], attributes: { to: DType.float32 } }, [DType.float32]),
  ],
  Softmax: () =>
    withZeros([2, 3, 4]).flatMap((dims) =>
      [0, 1, 2].map((axis) =>
        of({ type: 'Softmax', inputs: [x(...dims)], attributes: { axis } }, [axis]),
      ),
    ),
  LayerNorm: () =>
    [
      [0, 4],
      [2, 0, 4],
      [0, 2, 4],
    ].map((dims) =>
      of(
        {
          type: 'LayerNormalization',
          inputs: [x(...dims), random([4], 2), random([4], 3)],
          attributes: { axis: -1 },
        },
        [-1, f32Bits(1e-5)],
      ),
    ),
  Reduce: () =>
    (['mean', 'sum', 'max', 'min', 'prod', 'sumSquare', 'l2'] as const).flatMap((kind) =>
      withZeros([2, 3]).flatMap((dims) =>
        [[0], [1], [0, 1]].flatMap((axes) =>
          [0, 1].map((keepdims) => reduce(kind, dims, axes, keepdims)),
        ),
      ),
    ),
  MaxPool: () => [pool('MaxPool', [0, 3, 4, 4]), pool('MaxPool', [0, 3, 5, 5])],
  AveragePool: () => [pool('AveragePool', [0, 3, 4, 4])],
  GlobalAveragePool: () =>
    [
      [0, 3, 4, 4],
      [2, 3, 0, 4],
      [2, 3, 4, 0],
      [0, 3, 0, 0],
    ].map((dims) => pool('GlobalAveragePool', dims)),
  Transpose: () =>
    withZeros([2, 3, 4]).map((dims) =>
      of({ type: 'Transpose', inputs: [x(...dims)], attributes: { perm: [2, 0, 1] } }, [2, 0, 1]),
    ),
  Reshape: () =>
    (
      [
        [[0, 4], [0, 4], 0],
        [[0, 4], [2, 0], 1],
        [[0, 4], [0, -1], 0],
        [[2, 0], [-1, 2], 0],
        [[0, 4], [4, 0, 9], 1],
        [[2, 0, 3], [0, 0, -1], 0],
        [[0, 4], [-1], 0],
        [[0, 4], [-1, 4], 0],
        [[0], [65536, 65536, 0], 1],
      ] as const
    ).map(([dims, shape, allowzero]) =>
      of({ type: 'Reshape', inputs: [x(...dims), ints(shape)], attributes: { allowzero } }, [
        allowzero,
      ]),
    ),
  Shape: () => [of({ type: 'Shape', inputs: [x(2, 0, 3)], outputs: ['int64'] }, [0, 0x7fffffff])],
  Gather: () => [
    ...withZeros([2, 3]).map((dims) =>
      of({ type: 'Gather', inputs: [x(...dims), ints([])], attributes: { axis: 1 } }, [1]),
    ),
    of({ type: 'Gather', inputs: [x(0, 3), ints([1, -1])], attributes: { axis: 1 } }, [1]),
    of({ type: 'Gather', inputs: [x(2, 0), ints([1, 0])], attributes: { axis: 0 } }, [0]),
    of({ type: 'Gather', inputs: [x(0, 3), ints([0])], attributes: { axis: 0 } }, [0]),
    of({ type: 'Gather', inputs: [x(2, 3), ints([], [2, 0])], attributes: { axis: 0 } }, [0]),
  ],
  Slice: () =>
    withZeros([2, 3]).flatMap((dims) =>
      [1, -1, 2].map((step) =>
        of({
          type: 'Slice',
          inputs: [x(...dims), ints([-5, 9]), ints([9, -9]), ints([0, 1]), ints([step, -step])],
        }),
      ),
    ),
  Concat: () =>
    (
      [
        [[0, 4], [2, 4], 0],
        [[2, 0], [2, 0], 1],
        [[2, 0], [2, 3], 1],
        [[0, 4], [0, 4], 1],
        [[0, 4], [0, 4], 0],
      ] as const
    ).map(([a, b, axis]) =>
      of({ type: 'Concat', inputs: [x(...a), x(...b), x(...a)], attributes: { axis } }, [axis]),
    ),
  Squeeze: () => [
    of({ type: 'Squeeze', inputs: [x(1, 0, 1)] }),
    of({ type: 'Squeeze', inputs: [x(0, 1), ints([1])] }),
    of({ type: 'Squeeze', inputs: [x(0, 1), ints([])] }),
    of({ type: 'Squeeze', inputs: [x(0, 1), ints([0])] }),
  ],
  Unsqueeze: () => [
    of({ type: 'Unsqueeze', inputs: [x(0, 2), ints([0, 3])] }),
    of({ type: 'Unsqueeze', inputs: [x(2), ints([])] }),
  ],
  Flatten: () =>
    withZeros([2, 3, 4]).flatMap((dims) =>
      [0, 1, 2, 3].map((axis) =>
        of({ type: 'Flatten', inputs: [x(...dims)], attributes: { axis } }, [axis]),
      ),
    ),
  Expand: () => [
    of({ type: 'Expand', inputs: [x(1, 0), ints([3, 0])] }),
    of({ type: 'Expand', inputs: [x(1, 2), ints([0, 1])] }),
    of({ type: 'Expand', inputs: [x(0, 2), ints([1, 1])] }),
    of({ type: 'Expand', inputs: [x(2, 3), ints([])] }),
    of({ type: 'Expand', inputs: [x(0, 2), ints([3, 1])] }),
  ],
  Where: () => [
    of({ type: 'Where', inputs: [bools([0, 1]), x(1, 3), x(3)] }),
    of({ type: 'Where', inputs: [bools([2]), x(0, 2), x(1)] }),
  ],
  ConstantOfShape: () =>
    [[0], [2, 0], [0, 5, 0], []].map((shape) =>
      of({ type: 'ConstantOfShape', inputs: [ints(shape)], outputs: ['float32'] }, [
        DType.float32,
        0,
        0,
      ]),
    ),
  Range: () => [
    of({
      type: 'Range',
      inputs: [ints([3], []), ints([3], []), ints([1], [])],
      outputs: ['int64'],
    }),
  ],
  Pad: () =>
    ['constant', 'reflect', 'edge'].flatMap((mode, word) =>
      (
        [
          [[0], [0, 0]],
          [[0], [1, 2]],
          [
            [2, 0],
            [1, 0, 1, 0],
          ],
          [
            [0, 2],
            [0, 1, 0, 1],
          ],
          [
            [3, 0],
            [1, 1, 1, 1],
          ],
          [[2], [-1, -1]],
          [[1], [0, 0]],
          [[1], [1, 0]],
          [[3], [-1, 1]],
          [
            [3, 2],
            [-3, 0, 0, 0],
          ],
        ] as const
      ).map(([dims, pads]) =>
        of({ type: 'Pad', inputs: [x(...dims), ints(pads)], attributes: { mode } }, [word]),
      ),
    ),
  Identity: () => [of({ type: 'Identity', inputs: [x(0, 3)] })],
};

it('knows every operator that has no test of its own', () => {
  expect(Object.keys(cases).sort()).toEqual([...inTables].sort());
});

describe.each(inTables)('%s', (op) => {
  it('of nothing', async () => {
    const wrong: string[] = [];
    for (const { node, words = [], inputs = node.inputs, back } of cases[op]!()) {
      const about = `${node.inputs.map((input) => `[${input!.dims.join()}]`).join(' ')} ${words.join()}`;
      const outputs = node.outputs ?? [node.inputs[0]!.dtype];
      const outputTypes = op === 'Where' ? (['float32'] as const) : outputs;
      const expected = await onnxruntime({
        ...node,
        outputs: outputTypes,
        ...(op === 'LayerNorm' || node.type.startsWith('Reduce') ? { opset: 17 } : {}),
      }).then(
        ([tensor]) => tensor!,
        (error: unknown) => String(error),
      );
      for (const dies of [[], [0]]) {
        let result: TestTensor | string;
        try {
          result = engine.run(op, inputs, words, { dies })[0]!;
          if (back) result = back(result);
        } catch (error) {
          result = String(error);
          expect(result).not.toMatch('RuntimeError');
        }
        if (typeof expected === 'string') {
          if (typeof result !== 'string')
            wrong.push(
              `${about}: the engine gives [${result.dims.join()}], onnxruntime: ${expected.slice(0, 200)}`,
            );
        } else if (typeof result === 'string')
          wrong.push(
            `${about}: onnxruntime gives [${expected.dims.join()}] ${Array.from(expected.data).slice(0, 3).join()}, the engine: ${result}`,
          );
        else {
          try {
            expectClose(result, expected);
          } catch (error) {
            wrong.push(`${about}: ${String(error).slice(0, 300)}`);
          }
        }
      }
    }
    expect(wrong).toEqual([]);
  });
});

it('floats of nothing stay floats', () => {
  expectClose(engine.run('Unary', [floats([0], [])], [UnaryKind.exp, 0, 0])[0]!, floats([0], []));
});
