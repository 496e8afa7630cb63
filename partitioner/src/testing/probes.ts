import type { BinaryName, DTypeName, Epilogue, IntegerType, UnaryName } from '@canopy/protocol';
import { BinaryKind, UnaryKind } from '@canopy/protocol';
import { floatConstant } from '../graph/constant.js';
import {
  noEpilogue,
  weightType,
  type MatrixWeight,
  type OpAttributes,
  type ProgramNode,
  type Weight,
  type Window,
} from '../graph/program.js';
import { integerProbes } from './integer-probes.js';
import { constant, probe, Probe, type Operand } from './probe.js';

/** Probes that are fitted together: they have unknown prices in common. */
export interface ProbeGroup {
  name: string;
  probes: Probe[];
}

const values = (...dims: number[]): Operand => ({ dims });
const typed = (dtype: DTypeName, ...dims: number[]): Operand => ({ dims, dtype });

function filled(count: number): number[] {
  return Array.from({ length: count }, (_, index) => Math.sin(index));
}

function bias(channels: number, group = 1): Operand {
  const numbers = Float32Array.from(filled(channels));
  return { dims: [], weight: { kind: 'bias', values: numbers, group } };
}

function linear(rows: number, k: number, n: number, epilogue: Epilogue = noEpilogue): Probe {
  const weight: Operand = {
    dims: [],
    weight: {
      kind: 'matrix',
      constant: floatConstant([k, n], filled(k * n)),
      k,
      n,
      transposed: false,
      scale: undefined,
    },
  };
  return probe('Linear', { k, n, epilogue }, [values(rows, k), weight, bias(n)], values(rows, n));
}

function integerLinear(type: IntegerType, rows: number, k: number, n: number): Probe {
  const matrix: MatrixWeight = {
    kind: 'matrix',
    constant: floatConstant([k, n], filled(k * n)),
    k,
    n,
    transposed: false,
    scale: undefined,
  };
  const weights: Weight[] =
    type === 'int8'
      ? [
          { kind: 'int8', matrix },
          { kind: 'int8-scales', matrix },
        ]
      : [{ kind: 'int4', matrix, block: 32 }];
  const [integers, ...scales] = weights.map((weight): Operand => {
    return { dims: [], dtype: weightType(weight), weight };
  });
  const operands = [values(rows, k), integers!, bias(n), ...scales];
  return probe('Linear', { k, n, epilogue: noEpilogue }, operands, values(rows, n));
}

interface ConvShape {
  size: [number, number];
  channels: [number, number];
  kernel: [number, number];
  stride?: [number, number];
  pad?: [number, number];
  dilation?: [number, number];
  group?: number;
  batch?: number;
}

function windowOf({ kernel, stride = [1, 1], pad = [0, 0], dilation = [1, 1] }: ConvShape): Window {
  return {
    kernel,
    strides: stride,
    pads: [pad[0], pad[1], pad[0], pad[1]],
    dilations: dilation,
  };
}

function outputSize(shape: ConvShape): [number, number] {
  const { kernel, strides, pads, dilations } = windowOf(shape);
  return [0, 1].map((axis) => {
    const reach = (kernel[axis]! - 1) * dilations[axis]! + 1;
    const room = shape.size[axis]! + 2 * pads[axis]! - reach;
    return Math.floor(room / strides[axis]!) + 1;
  }) as [number, number];
}

function conv(shape: ConvShape): Probe {
  const { size, channels, kernel, group = 1, batch = 1 } = shape;
  const [inChannels, outChannels] = channels;
  const depthwise = group > 1 && group === inChannels && group === outChannels;
  const dims = [outChannels, inChannels / group, ...kernel];
  const filter = floatConstant(dims, filled(dims.reduce((product, dim) => product * dim, 1)));
  const weight: Operand = {
    dims: [],
    weight: depthwise
      ? { kind: 'depthwise', constant: filter, scale: undefined }
      : { kind: 'filter', constant: filter, group, scale: undefined },
  };
  const attributes = { ...windowOf(shape), group, inChannels, outChannels, epilogue: noEpilogue };
  return probe(
    depthwise ? 'DepthwiseConv' : 'Conv',
    attributes,
    [values(batch, ...size, inChannels), weight, bias(outChannels, depthwise ? 1 : group)],
    values(batch, ...outputSize(shape), outChannels),
  );
}

function unary(kind: UnaryName, count: number): Probe {
  const dtype = kind === 'not' ? 'bool' : 'float32';
  const attributes = { kind, alpha: kind === 'clip' ? -0.5 : 0.5, beta: 0.5 };
  return probe('Unary', attributes, [typed(dtype, count)], typed(dtype, count));
}

/** Binary of two inputs that are alike, so that the epilogue is all there is to find out. */
function epilogue(parts: Partial<Epilogue>, count: number): Probe {
  const attributes = { kind: 'add' as const, epilogue: { ...noEpilogue, ...parts } };
  return probe('Binary', attributes, [values(count), values(count)], values(count));
}

function binary(
  kind: BinaryName,
  a: readonly number[],
  b: readonly number[],
  dtype: DTypeName = 'float32',
): Probe {
  const rank = Math.max(a.length, b.length);
  const at = (dims: readonly number[], axis: number): number =>
    dims[axis - (rank - dims.length)] ?? 1;
  const output = Array.from({ length: rank }, (_, axis) => Math.max(at(a, axis), at(b, axis)));
  const comparison = BinaryKind[kind] >= BinaryKind.equal && BinaryKind[kind] <= BinaryKind.xor;
  return probe(
    'Binary',
    { kind, epilogue: noEpilogue },
    [
      { dims: a, dtype },
      { dims: b, dtype },
    ],
    { dims: output, dtype: comparison ? 'bool' : dtype },
  );
}

function matMul(
  a: number[],
  b: number[],
  output: number[],
  attributes: Partial<OpAttributes['MatMul']> = {},
): Probe {
  return probe(
    'MatMul',
    { transA: false, transB: false, alpha: 1, ...attributes },
    [values(...a), values(...b)],
    values(...output),
  );
}

function transpose(dims: number[], permutation: number[], dtype: DTypeName = 'float32'): Probe {
  const output = permutation.map((axis) => dims[axis]!);
  return probe('Transpose', { permutation }, [typed(dtype, ...dims)], typed(dtype, ...output));
}

function slice(dims: number[], axis: number, from: number, to: number): Probe {
  const bound = (value: number): Operand => constant([1], 'int64', [value]);
  const output = dims.map((size, at) => (at === axis ? to - from : size));
  return probe(
    'Slice',
    {},
    [values(...dims), bound(from), bound(to), bound(axis)],
    values(...output),
  );
}

function pool(op: 'MaxPool' | 'AveragePool', shape: ConvShape): Probe {
  const [channels] = shape.channels;
  const operands = [values(1, ...shape.size, channels)];
  const output = values(1, ...outputSize(shape), channels);
  const window = { ...windowOf(shape), ceilMode: false };
  return op === 'MaxPool'
    ? probe('MaxPool', window, operands, output)
    : probe('AveragePool', { ...window, countIncludePad: false }, operands, output);
}

function reduce(kind: OpAttributes['Reduce']['kind'], dims: number[], axes: number[]): Probe {
  const output = dims.map((size, axis) => (axes.includes(axis) ? 1 : size));
  return probe('Reduce', { kind, keepDims: true, axes }, [values(...dims)], values(...output));
}

function identities(count: number, size: number): Probe {
  const nodes: ProgramNode[] = Array.from({ length: count }, (_, index) => ({
    op: 'Identity',
    name: `identity${index}`,
    inputs: [`v${index}`],
    outputs: [`v${index + 1}`],
    attributes: {},
  }));
  const operands = Object.fromEntries(
    Array.from({ length: count + 1 }, (_, index) => [`v${index}`, values(size)]),
  );
  return new Probe(nodes, operands);
}

const rowCounts = [1, 2, 3, 5, 8, 17, 40, 130];
const depths = [7, 15, 16, 24, 33, 60, 120, 256];
const widths = [3, 4, 10, 16, 20, 28, 48, 120];

/** All combinations thinned out evenly, so that each value of each list takes part. */
function mixed<A, B, C>(
  a: readonly A[],
  b: readonly B[],
  c: readonly C[],
  step: number,
): [A, B, C][] {
  const all = a.flatMap((x) => b.flatMap((y) => c.map((z): [A, B, C] => [x, y, z])));
  return all.filter((_, index) => index % step === 0);
}

const convolutions: ConvShape[] = [
  { size: [48, 80], channels: [3, 16], kernel: [3, 3], stride: [2, 2], pad: [1, 1] },
  { size: [32, 32], channels: [3, 10], kernel: [7, 7], stride: [2, 2], pad: [3, 3] },
  { size: [17, 20], channels: [8, 24], kernel: [3, 3], pad: [1, 1] },
  { size: [17, 20], channels: [24, 16], kernel: [3, 3], pad: [1, 1] },
  { size: [12, 12], channels: [64, 64], kernel: [3, 3], pad: [1, 1] },
  { size: [12, 12], channels: [64, 32], kernel: [3, 3], stride: [2, 2], pad: [1, 1] },
  { size: [14, 14], channels: [48, 64], kernel: [1, 1], stride: [2, 2] },
  { size: [1, 40], channels: [120, 60], kernel: [1, 3], pad: [0, 1] },
  { size: [9, 9], channels: [33, 20], kernel: [5, 5], pad: [2, 2] },
  { size: [20, 20], channels: [16, 40], kernel: [2, 2], stride: [2, 2] },
  { size: [10, 11], channels: [32, 32], kernel: [3, 3], pad: [1, 1], group: 4 },
  { size: [10, 11], channels: [16, 16], kernel: [3, 3], pad: [2, 2], dilation: [2, 2] },
  { size: [8, 8], channels: [1, 16], kernel: [3, 3], pad: [1, 1], batch: 4 },
  { size: [60, 70], channels: [12, 8], kernel: [3, 3], pad: [1, 1] },
  { size: [6, 6], channels: [128, 96], kernel: [3, 3], pad: [1, 1], batch: 2 },
];
const depthwise: ConvShape[] = [
  { size: [24, 40], channels: [32, 32], kernel: [3, 3], pad: [1, 1] },
  { size: [24, 40], channels: [24, 24], kernel: [3, 3], pad: [1, 1], stride: [2, 2] },
  { size: [13, 17], channels: [48, 48], kernel: [5, 5], pad: [2, 2] },
  { size: [13, 17], channels: [20, 20], kernel: [5, 5], pad: [2, 2], stride: [2, 1] },
  { size: [3, 40], channels: [240, 240], kernel: [5, 5], pad: [2, 2] },
  { size: [7, 7], channels: [64, 64], kernel: [3, 3], pad: [1, 1], batch: 3 },
  { size: [16, 16], channels: [16, 16], kernel: [7, 7], pad: [3, 3] },
  { size: [30, 30], channels: [16, 16], kernel: [3, 3] },
  { size: [30, 30], channels: [4, 4], kernel: [3, 3], pad: [1, 1] },
  { size: [12, 12], channels: [32, 32], kernel: [3, 3], pad: [2, 2], dilation: [2, 2] },
  { size: [1, 60], channels: [32, 32], kernel: [1, 5], pad: [0, 2] },
  { size: [5, 5], channels: [128, 128], kernel: [3, 3], pad: [1, 1] },
];
const pools: ConvShape[] = [
  { size: [24, 24], channels: [16, 16], kernel: [2, 2], stride: [2, 2] },
  { size: [25, 24], channels: [32, 32], kernel: [3, 3], stride: [2, 2], pad: [1, 1] },
  { size: [3, 80], channels: [240, 240], kernel: [3, 2], stride: [3, 2] },
  { size: [9, 9], channels: [10, 10], kernel: [5, 5], pad: [2, 2] },
  { size: [14, 14], channels: [64, 64], kernel: [3, 3] },
];

/** Kinds with prices of their own; those from acos on have one for all. */
const floatUnary = (Object.keys(UnaryKind) as UnaryName[]).filter(
  (kind) => UnaryKind[kind] < UnaryKind.acos && kind !== 'not' && kind !== 'none',
);
const floatBinary: BinaryName[] = ['add', 'sub', 'mul', 'div', 'pow', 'min', 'max', 'prelu'];

/** Everything to measure, in an order in which each group needs only prices of those before. */
export function probeGroups(): ProbeGroup[] {
  return [
    {
      name: 'messages',
      probes: [16, 1000, 20000, 100000].map((size) => identities(0, size)),
    },
    {
      name: 'products',
      probes: [
        ...mixed(rowCounts, depths, widths, 11).map(([m, k, n]) => linear(m, k, n)),
        linear(300, 64, 64),
        linear(1100, 24, 48),
        linear(64, 512, 128),
        linear(2, 960, 240),
        linear(1, 1280, 1000),
        ...mixed(
          [1, 4, 8, 16, 3, 29, 64],
          [64, 96, 100, 130, 256, 700],
          [16, 64, 100, 256, 1100],
          11,
        ).map(([m, k, n]) => linear(m, k, n)),
        linear(1, 512, 2100),
        linear(16, 200, 3000),
        linear(4, 4096, 32),
        ...convolutions.map(conv),
      ],
    },
    {
      name: 'depthwise',
      probes: depthwise.map((shape) => conv({ ...shape, group: shape.channels[0] })),
    },
    {
      name: 'unary',
      probes: floatUnary.flatMap((kind) => [8, 60, 1003, 9600].map((count) => unary(kind, count))),
    },
    {
      name: 'binary',
      probes: floatBinary.flatMap((kind) => [
        binary(kind, [4000], [4000]),
        binary(kind, [70], [70]),
        binary(kind, [40, 120], [120]),
        binary(kind, [40, 30, 20], [40, 1, 20]),
        binary(kind, [40, 30, 20], [40, 30, 1]),
        binary(kind, [333, 5], [333, 1]),
        binary(kind, [1003], [1]),
        binary(kind, [60, 28], [28]),
        binary(kind, [500, 16], [500, 1]),
        binary(kind, [4, 100, 100], [100, 1]),
      ]),
    },
    {
      name: 'epilogues',
      probes: [
        ...(['relu', 'hardSwish', 'sigmoid', 'quickGelu', 'gelu', 'none'] as const).flatMap(
          (activation) => [
            epilogue({ activation, alpha: 1, scale: 0.5, shift: 0.25 }, 2000),
            epilogue({ activation, alpha: 1, scale: 0.5, shift: 0.25 }, 9003),
          ],
        ),
        epilogue({ activation: 'clip', alpha: -0.5, beta: 0.5 }, 2000),
        epilogue({ activation: 'clip', alpha: -0.5, beta: 0.5 }, 9003),
        linear(40, 64, 64, { ...noEpilogue, activation: 'relu' }),
        linear(80, 32, 128, { ...noEpilogue, activation: 'relu' }),
        linear(17, 16, 240, { ...noEpilogue, activation: 'clip', beta: 1 }),
      ],
    },
    {
      name: 'scalars',
      probes: [
        binary('add', [500], [500], 'int64'),
        binary('mul', [50, 8], [8], 'int64'),
        binary('equal', [500], [500], 'int64'),
        binary('less', [60, 40], [60, 1]),
        binary('greater', [3000], [1]),
        binary('equal', [30, 30], [30], 'int64'),
        binary('less', [2500], [2500]),
        binary('add', [40, 50], [40, 1], 'int64'),
        binary('equal', [4], [4], 'int64'),
        ...[4, 300, 2000].map((n) =>
          probe('Cast', { to: 'float32' }, [typed('int64', n)], values(n)),
        ),
        ...[4, 300, 2000].map((n) => probe('Cast', { to: 'bool' }, [values(n)], typed('bool', n))),
        ...[4, 300, 2000].map((n) => unary('not', n)),
        ...[5, 40, 600].map((n) =>
          probe('Where', {}, [typed('bool', n, 20), values(1), values(n, 20)], values(n, 20)),
        ),
        probe('Where', {}, [typed('bool', 30, 1), values(30, 50), values(50)], values(30, 50)),
        ...[3, 40, 300].map((n) =>
          probe('Where', {}, [typed('bool', n, 20), values(n, 1), values(n, 20)], values(n, 20)),
        ),
        ...[7, 300, 4000].map((n) =>
          probe(
            'Where',
            {},
            [typed('bool', n), typed('int64', n), typed('int64', n)],
            typed('int64', n),
          ),
        ),
      ],
    },
    {
      name: 'moves',
      probes: [
        ...[1, 4, 9].flatMap((count) => [16, 1003, 20000].map((size) => identities(count, size))),
        transpose([3, 48, 80], [1, 2, 0]),
        transpose([48, 80, 16], [2, 0, 1]),
        transpose([40, 8, 15], [1, 0, 2]),
        transpose([40, 8, 15], [1, 2, 0]),
        transpose([128, 4, 16], [1, 0, 2]),
        transpose([128, 4, 16], [1, 2, 0]),
        transpose([64, 64], [1, 0]),
        transpose([33, 30], [1, 0]),
        transpose([5, 7, 3, 11], [3, 1, 0, 2]),
        transpose([64, 40], [1, 0], 'int64'),
        transpose([9, 20, 33], [1, 0, 2], 'int64'),
        slice([40, 3, 120], 1, 1, 2),
        slice([50, 90], 1, 10, 75),
        slice([300, 40], 0, 20, 200),
        slice([17, 33, 9], 2, 2, 7),
        slice([70, 31], 1, 3, 30),
        slice([4], 0, 1, 3),
        transpose([60, 10, 7], [1, 0, 2]),
        transpose([30, 12, 33], [1, 0, 2]),
        ...[
          [1, 64, 50],
          [10, 33, 20],
          [100, 4, 40],
        ].map(([outer, size, inner]) =>
          probe(
            'Concat',
            { axis: 1 },
            [values(outer!, size!, inner!), values(outer!, 2 * size!, inner!)],
            values(outer!, 3 * size!, inner!),
          ),
        ),
        ...[
          [1000, 64, 128],
          [50, 3, 400],
          [128, 130, 20],
          [64, 1, 300],
          [64, 1, 4],
        ].map(([size, inner, count]) =>
          probe(
            'Gather',
            { axis: 0 },
            [constant([size!, inner!]), typed('int64', count!)],
            values(count!, inner!),
          ),
        ),
        ...[
          [1, 128],
          [16, 100],
          [200, 9],
        ].map(([rows, columns]) =>
          probe(
            'Expand',
            {},
            [values(1, columns!), constant([2], 'int64', [rows!, columns!])],
            values(rows!, columns!),
          ),
        ),
        ...[10, 1000].map((n) =>
          probe(
            'ConstantOfShape',
            { dtype: 'float32', value: 0x3f800000n },
            [constant([1], 'int64', [n])],
            values(n),
          ),
        ),
      ],
    },
    {
      name: 'rows',
      probes: [
        ...[
          [40, 120],
          [128, 64],
          [5, 1000],
          [3, 33],
          [400, 16],
          [200, 7],
          [64, 28],
          [16, 700],
        ].flatMap(([rows, size]) => [
          probe('Softmax', { axis: 1 }, [values(rows!, size!)], values(rows!, size!)),
          probe(
            'LayerNorm',
            { axis: 1, epsilon: 1e-5 },
            [values(rows!, size!), constant([size!]), constant([size!])],
            values(rows!, size!),
          ),
        ]),
        probe('Softmax', { axis: 1 }, [values(40, 6625)], values(40, 6625)),
        probe('Softmax', { axis: 1 }, [values(10, 20, 30)], values(10, 20, 30)),
        probe('Softmax', { axis: 1 }, [values(3, 50, 9)], values(3, 50, 9)),
        reduce('mean', [40, 120], [1]),
        reduce('sum', [400, 9], [1]),
        reduce('max', [4, 1000], [1]),
        reduce('max', [300, 20], [1]),
        reduce('sum', [20, 333], [1]),
        reduce('sum', [7, 40, 10], [1]),
        reduce('mean', [40, 120], [0]),
        reduce('mean', [6, 50, 30], [1]),
        reduce('sum', [6, 50, 30], [0, 2]),
        reduce('max', [12, 9, 64], [0, 1]),
        ...pools.map((shape) => pool('MaxPool', shape)),
        ...pools.map((shape) => pool('AveragePool', shape)),
        ...[
          [1, 8, 8, 64],
          [2, 3, 40, 240],
          [1, 1, 30, 10],
          [6, 2, 2, 200],
        ].map(([n, h, w, c]) =>
          probe('GlobalAveragePool', {}, [values(n!, h!, w!, c!)], values(n!, 1, 1, c!)),
        ),
      ],
    },
    {
      name: 'integer products',
      probes: (['int8', 'int4'] as const).flatMap((type) => [
        ...mixed(
          [1, 4, 8, 16, 3, 7, 29, 64],
          [32, 64, 96, 256, 48, 100, 512, 1000, 37],
          [4, 32, 64, 100, 256, 1100, 30],
          25,
        ).map(([rows, k, n]) => integerLinear(type, rows, k, n)),
        integerLinear(type, 1, 4096, 40),
        integerLinear(type, 9, 9000, 12),
        integerLinear(type, 40, 33, 2100),
        integerLinear(type, 2, 512, 4200),
        integerLinear(type, 16, 256, 5000),
      ]),
    },
    {
      name: 'computed products',
      probes: [
        matMul([8, 40, 15], [8, 15, 40], [8, 40, 40]),
        matMul([8, 40, 40], [8, 40, 15], [8, 40, 15]),
        matMul([4, 128, 16], [4, 16, 128], [4, 128, 128]),
        matMul([4, 128, 128], [4, 128, 16], [4, 128, 16]),
        matMul([2, 30, 64], [2, 64, 100], [2, 30, 100]),
        matMul([3, 1, 64], [3, 64, 100], [3, 1, 100]),
        matMul([4, 30, 32], [4, 30, 32], [4, 30, 30], { transB: true }),
        matMul([4, 1, 64], [4, 80, 64], [4, 1, 80], { transB: true }),
        matMul([8, 2, 33], [8, 20, 33], [8, 2, 20], { transB: true }),
        matMul([4, 32, 30], [4, 32, 50], [4, 30, 50], { transA: true }),
        matMul([2, 40, 40], [2, 40, 48], [2, 40, 48], { alpha: 0.5 }),
        matMul([30, 64], [64, 100], [30, 100]),
        matMul([3, 2, 33], [3, 33, 50], [3, 2, 50]),
        matMul([1, 128], [1, 128, 256], [1, 1, 256]),
        matMul([5, 1, 128], [5, 60, 128], [5, 1, 60], { transB: true }),
        matMul([5, 2, 40], [5, 7, 40], [5, 2, 7], { transB: true }),
      ],
    },
    { name: 'operators of bytes', probes: [...integerProbes] },
  ];
}
