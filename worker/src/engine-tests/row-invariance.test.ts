import { beforeAll, describe, expect, it } from 'vitest';
import {
  Activation,
  BinaryKind,
  DType,
  encodeAttributes,
  OpCode,
  ReduceKind,
  UnaryKind,
  type OpName,
  type RecurrentCellName,
} from '@canopy/protocol';
import { floats, random } from './compare.js';
import { Engine, f32Bits, noEpilogue, type TestTensor } from './engine.js';
import { packedFilter, packedWeights, paddedBias } from './layout.js';

/**
 * A row's result is the same, bit for bit, whatever rows are beside it: tasks are put together from
 * requests of several callers. Every operator is run with 1 to 70 rows, in all forms in which the partitioner
 * (`graph/rows/rules.ts`) takes rows to be independent.
 */
const mostRows = 70;

interface Case {
  inputs: readonly TestTensor[];
  words?: readonly number[];
  /** Axis of each input's rows; undefined where it has none. */
  axes: readonly (number | undefined)[];
  /** Axis of the result's rows. */
  axis: number;
}
type Named = [name: string, made: Case];

/** Rows `[start, start + count)` along an axis. */
function cut(tensor: TestTensor, axis: number, start: number, count: number): TestTensor {
  const { dtype, dims } = tensor;
  const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
  const outer = dims.slice(0, axis).reduce((product, dim) => product * dim, 1);
  const data: number[] = [];
  for (let block = 0; block < outer; block++) {
    const at = (block * dims[axis]! + start) * inner;
    for (let i = 0; i < count * inner; i++) data.push(tensor.data[at + i]!);
  }
  return { dtype, dims: dims.map((dim, at) => (at === axis ? count : dim)), data };
}

const integers = (dims: readonly number[], data: readonly number[]): TestTensor => ({
  dtype: 'int64',
  dims,
  data,
});
const bools = (dims: readonly number[]): TestTensor => ({
  dtype: 'bool',
  dims,
  data: Array.from(random(dims, 7).data, (value) => (value > 0 ? 1 : 0)),
});
/** Indices below `size`. */
const indices = (dims: readonly number[], size: number): TestTensor =>
  integers(
    dims,
    Array.from(random(dims, 8).data, (value) => Math.floor(Math.abs(value) * 1000) % size),
  );

const gelu = [Activation.gelu, 0, 0, f32Bits(1), 0];
/** Rows first, in the first input alone. */
function first(name: string, inputs: TestTensor[], words: number[] = [], axis = 0): Named {
  return [name, { inputs, words, axes: [0], axis }];
}
/** Rows first, in the inputs named. */
function rowsIn(name: string, of: number[], inputs: TestTensor[], words: number[] = []): Named {
  const axes = inputs.map((_, at) => (of.includes(at) ? 0 : undefined));
  return [name, { inputs, words, axes, axis: 0 }];
}

function linear(depth: number, n: number, epilogue = noEpilogue): Named {
  const weights = packedWeights(random([depth, n], 2), depth, n);
  const inputs = [random([mostRows, depth], 1), weights, paddedBias(random([n], 3))];
  return first(`${depth} to ${n}`, inputs, [depth, n, ...epilogue]);
}

function conv(inC: number, outC: number, kernel: number, group = 1): Named {
  const filter = random([outC, inC / group, kernel, kernel], 2);
  const inputs = [random([mostRows, 4, 4, inC], 1), packedFilter(filter, group)];
  const words = [kernel, kernel, 1, 1, 0, 0, 0, 0, 1, 1, group, inC, outC, ...noEpilogue];
  return first(`${kernel}x${kernel}, ${inC} to ${outC} in ${group}`, inputs, words);
}

function depthwise(channels: number): Named {
  const weights = random([9 * Math.ceil(channels / 4) * 4], 2);
  const words = [3, 3, 1, 1, 1, 1, 1, 1, 1, 1, channels, channels, channels, ...noEpilogue];
  return first(`${channels} channels`, [random([mostRows, 5, 6, channels], 1), weights], words);
}

/** Rows of the first factor, or of the second. */
function matMul(
  side: 0 | 1,
  inputs: TestTensor[],
  rowAxis: number,
  axis: number,
  trans: number[],
): Named {
  const axes = [0, 1].map((at) => (at === side ? rowAxis : undefined));
  const name = `${inputs.map(({ dims }) => `[${dims.join()}]`).join(' x ')} ${trans.join()}`;
  return [name, { inputs, words: [...trans, f32Bits(0.5)], axes, axis }];
}

/** A layer over 3 steps; rows are along axis 1. */
function recurrent(cell: RecurrentCellName, gates: number, hidden: number): Named {
  const gate = { kind: 'tanh', alpha: 0, beta: 0, inner: 1, outer: 1 } as const;
  const words = encodeAttributes('Recurrent', {
    ...{ cell, hidden, reverse: false, packed: false, all: false, clip: 0 },
    ...{ gate, candidate: gate, result: gate },
  });
  const inputs = [
    random([3, mostRows, gates * hidden], 1),
    random([gates * hidden, hidden], 2, 0.5),
  ];
  return [`${cell} of ${hidden}`, { inputs, words, axes: [1], axis: 1 }];
}
const byteRow = (dims: readonly number[], seed: number): TestTensor => ({
  dtype: 'uint8',
  dims,
  data: Array.from(random(dims, seed).data, (value) => Math.floor(Math.abs(value) * 255)),
});
const oneByte: TestTensor = { dtype: 'uint8', dims: [], data: [77] };

const pool = [3, 2, 2, 1, 1, 0, 1, 1, 1, 1, 0, 0];
const image = random([mostRows, 4, 3, 5], 1);
const wide = random([mostRows, 19], 1);
const reduced = (kind: keyof typeof ReduceKind): Named[] => [
  first(kind, [random([mostRows, 2, 19], 1)], [ReduceKind[kind], 0, 1, 2]),
  first(`${kind} of two axes`, [random([mostRows, 2, 19], 1)], [ReduceKind[kind], 1, 2, 1, 2]),
  [`${kind} down columns`, down([ReduceKind[kind], 0, 1, 0])],
];
/** Rows side by side: each is a column. */
function down(words: number[]): Case {
  return { inputs: [random([29, mostRows], 1)], words, axes: [1], axis: 0 };
}

/** Their rows are not compared yet. Each is worked on by itself, whatever the number of rows. */
const uncompared = [
  'ArgExtreme',
  'BitCast',
  'Branch',
  'Col2Im',
  'Compress',
  'CumProd',
  'CumSum',
  'DeformIm2Col',
  'DepthToSpace',
  'Det',
  'FloatClass',
  'GatherElements',
  'GatherND',
  'Im2Col',
  'MaxRoiPool',
  'NonZero',
  'OneHot',
  'ReduceOver',
  'Resize',
  'ReverseSequence',
  'RoiAlign',
  'ScatterElements',
  'ScatterND',
  'Select',
  'SpaceToDepth',
  'SpatialPool',
  'Tile',
  'TopK',
  'TreeEnsemble',
  'Trilu',
  'Unique',
] as const;

/** Undefined of operators whose results have no rows. */
const cases: Record<Exclude<OpName, (typeof uncompared)[number]>, readonly Named[] | undefined> = {
  Linear: [linear(1, 1), linear(31, 10), linear(64, 48), linear(145, 27, gelu), linear(600, 5)],
  Conv: [conv(4, 8, 1), conv(3, 5, 3), conv(8, 12, 3, 2), conv(16, 20, 2)],
  DepthwiseConv: [depthwise(4), depthwise(7)],
  MatMul: [
    matMul(0, [random([mostRows, 31], 1), random([31, 18], 2)], 0, 0, [0, 0]),
    matMul(0, [random([31, mostRows], 1), random([31, 7], 2)], 1, 0, [1, 0]),
    matMul(0, [random([mostRows, 3, 31], 1), random([31, 9], 2)], 0, 0, [0, 0]),
    matMul(1, [random([5, 31], 1), random([31, mostRows], 2)], 1, 1, [0, 0]),
    matMul(1, [random([5, 31], 1), random([mostRows, 31], 2)], 0, 1, [0, 1]),
    [
      'row by row',
      {
        inputs: [random([mostRows, 5, 31], 1), random([mostRows, 31, 6], 2)],
        words: [0, 0, f32Bits(1)],
        axes: [0, 0],
        axis: 0,
      },
    ],
  ],
  GridSample: [
    rowsIn(
      'linear',
      [0, 1],
      [random([mostRows, 2, 4, 5], 1), random([mostRows, 3, 3, 2], 2)],
      [1, 0, 0],
    ),
  ],
  NonMaxSuppression: undefined,
  Binary: (Object.keys(BinaryKind) as (keyof typeof BinaryKind)[]).flatMap((kind) => {
    const isLogical = ['and', 'or', 'xor'].includes(kind);
    const isWhole = BinaryKind[kind] >= BinaryKind.shiftLeft;
    const make = (dims: number[], seed: number): TestTensor =>
      isLogical ? bools(dims) : isWhole ? indices(dims, 9) : random(dims, seed);
    const words = [BinaryKind[kind], ...noEpilogue];
    return [
      rowsIn(kind, [0, 1], [make([mostRows, 19], 1), make([mostRows, 19], 2)], words),
      rowsIn(`${kind} a row`, [0], [make([mostRows, 19], 1), make([19], 2)], words),
      rowsIn(
        `${kind} a number each`,
        [0, 1],
        [make([mostRows, 19], 1), make([mostRows, 1], 2)],
        words,
      ),
    ];
  }),
  Unary: (Object.keys(UnaryKind) as (keyof typeof UnaryKind)[]).map((kind) =>
    first(
      kind,
      [
        kind === 'not'
          ? bools([mostRows, 3])
          : kind === 'bitwiseNot'
            ? indices([mostRows, 3], 9)
            : random([mostRows, 3], 1),
      ],
      [UnaryKind[kind], f32Bits(0.3), f32Bits(0.7)],
    ),
  ),
  Cast: [first('to int32', [wide], [DType.int32]), first('to bool', [wide], [DType.bool])],
  Softmax: [
    first('of rows', [wide], [1]),
    first('of columns of a row', [random([mostRows, 9, 5], 1)], [1]),
  ],
  LayerNorm: [
    first('of rows', [wide, random([19], 2), random([19], 3)], [-1, f32Bits(1e-5)]),
    first('without bias', [random([mostRows, 2, 36], 1), random([36], 2)], [-1, f32Bits(1e-5)]),
  ],
  Recurrent: [recurrent('rnn', 1, 7), recurrent('gru', 3, 18), recurrent('gruResetAfter', 3, 70)],
  Reduce: (Object.keys(ReduceKind) as (keyof typeof ReduceKind)[]).flatMap(reduced),
  MaxPool: [first('of images', [image], pool.slice(0, -1))],
  AveragePool: [first('of images', [image], pool)],
  GlobalAveragePool: [first('of images', [image])],
  Transpose: [
    first('within rows', [random([mostRows, 5, 7], 1)], [0, 2, 1]),
    first('rows go last', [random([mostRows, 5, 7], 1)], [2, 1, 0], 2),
  ],
  Reshape: [first('of each row', [random([mostRows, 12], 1), integers([3], [-1, 3, 4])], [0])],
  Shape: undefined,
  Gather: [
    [
      'by indices of rows',
      {
        inputs: [random([9, 5], 1), indices([mostRows, 3], 9)],
        words: [0],
        axes: [undefined, 0],
        axis: 0,
      },
    ],
    first('columns', [wide, integers([3], [4, -1, 0])], [1]),
  ],
  Slice: [first('columns', [wide, ...[[2], [15], [1], [3]].map((one) => integers([1], one))])],
  Concat: [rowsIn('columns', [0, 1], [wide, random([mostRows, 5], 2)], [1])],
  Squeeze: [first('behind rows', [random([mostRows, 1, 5], 1), integers([1], [1])])],
  Unsqueeze: [first('behind rows', [wide, integers([1], [1])])],
  Flatten: [first('all but rows', [image], [1])],
  Identity: [first('all', [wide])],
  Expand: [first('columns', [random([mostRows, 1], 1), integers([2], [1, 5])])],
  Where: [rowsIn('each', [0, 1], [bools([mostRows, 19]), wide, random([19], 2)])],
  ConstantOfShape: undefined,
  Range: undefined,
  Quantize: [first('bytes', [wide, floats([], [0.01]), oneByte], [DType.uint8, 0, 0])],
  Dequantize: [first('bytes', [byteRow([mostRows, 19], 1), random([19], 3)], [1, 0])],
  DynamicQuantize: undefined,
  IntegerLinear: [
    first('a matrix', [byteRow([mostRows, 31], 1), byteRow([31, 9], 2)], [DType.int32, 0, 0, 0]),
  ],
  IntegerConv: [
    first(
      '3x3',
      [byteRow([mostRows, 4, 5, 3], 1), byteRow([4, 3, 3, 3], 2), oneByte],
      [3, 3, 1, 1, 1, 1, 1, 1, 1, 1, DType.int32, 0, 0, 1, 3, 4],
    ),
  ],
  QuantizedBinary: [0, 1].map((kind) => {
    const one = floats([], [0.3]);
    const both = [byteRow([mostRows, 19], 1), byteRow([mostRows, 19], 2)];
    return rowsIn(
      `kind ${kind}`,
      [0, 1],
      [...both, one, oneByte, one, oneByte, one, oneByte],
      [kind],
    );
  }),
  QuantizedSoftmax: [
    first(
      'of rows',
      [byteRow([mostRows, 19], 1), floats([], [0.1]), floats([], [1 / 256]), oneByte],
      [1],
    ),
  ],
  Pad: [first('columns', [wide, integers([4], [0, 2, 0, 3])], [0])],
};

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.create();
});

it('knows every operator', () => {
  expect([...Object.keys(cases), ...uncompared].sort()).toEqual(Object.keys(OpCode).sort());
});

/** NaN has many forms, which the Internet Computer makes one. */
const bits = (tensor: TestTensor): Buffer =>
  Buffer.from(Float64Array.from(tensor.data, (one) => (Number.isNaN(one) ? NaN : one)).buffer);

for (const [op, made] of Object.entries(cases) as [OpName, readonly Named[] | undefined][]) {
  describe.runIf(made)(op, () => {
    it.each(made ?? [])('%s: a row is the same beside any others', (_, one) => {
      const { inputs, words = [], axes, axis } = one;
      const whole = engine.run(op, inputs, words)[0]!;
      for (let count = 1; count < mostRows; count++) {
        const start = count % 2 === 0 ? mostRows - count : Math.floor((mostRows - count) / 2);
        const some = inputs.map((input, at) =>
          axes[at] === undefined ? input : cut(input, axes[at], start, count),
        );
        const result = engine.run(op, some, words)[0]!;
        const expected = cut(whole, axis, start, count);
        expect(result.dims).toEqual(expected.dims);
        expect(Buffer.compare(bits(result), bits(expected)), `${count} rows`).toBe(0);
      }
    });
  });
}

it('would notice a row that depends on others', () => {
  const two = floats([2, 2], [1, 2, 3, 4]);
  const sum = engine.run('Reduce', [two], [ReduceKind.sum, 1, 0])[0]!;
  const one = engine.run('Reduce', [cut(two, 0, 0, 1)], [ReduceKind.sum, 1, 0])[0]!;
  expect(Buffer.compare(bits(sum), bits(one))).not.toBe(0);
});
