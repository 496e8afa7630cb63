import { elementCount, packedChannels, paddedDepth, type DTypeName } from '@canopy/protocol';
import { floatConstant, memoryConstant } from '../graph/constant.js';
import type { OpAttributes } from '../graph/program.js';
import { constant, probe, Probe, type Operand } from './probe.js';

const typed = (dtype: DTypeName, ...dims: number[]): Operand => ({ dims, dtype });

function floats(dims: number[], value: number): Operand {
  const filled = Array<number>(elementCount(dims)).fill(value);
  return { dims, weight: { kind: 'plain', constant: floatConstant(dims, filled) } };
}

function byte(dtype: 'int8' | 'uint8', value: number): Operand {
  const one = memoryConstant(dtype, [], Uint8Array.of(value));
  return { dims: [], dtype, weight: { kind: 'plain', constant: one } };
}

const packedBytes = (k: number, n: number): number => paddedDepth(k, 16) * packedChannels(n);

type Result = 'int32' | 'float32' | 'uint8';

/** Inputs behind the two that are multiplied, for so many columns. */
function parameters(to: Result, n: number): (Operand | undefined)[] {
  const bias = constant([n], 'int32');
  if (to === 'int32') return [byte('uint8', 7)];
  const factors = floats([n], 0.01);
  if (to === 'uint8') return [byte('uint8', 7), undefined, bias, factors, byte('uint8', 100)];
  return [byte('uint8', 7), undefined, undefined, factors, undefined, floats([n], 1)];
}

function product(to: Result, rows: number, k: number, n: number): Probe {
  const weights = constant([packedBytes(k, n)], 'int8');
  return probe(
    'IntegerLinear',
    { to, unsigned: false, k, n },
    [typed('uint8', rows, k), weights, ...parameters(to, n)],
    typed(to, rows, n),
  );
}

function packedWhileItRuns(rows: number, k: number, n: number): Probe {
  return probe(
    'IntegerLinear',
    { to: 'int32', unsigned: false, k: 0, n: 0 },
    [typed('uint8', rows, k), typed('int8', k, n), ...parameters('int32', n)],
    typed('int32', rows, n),
  );
}

interface Images {
  size: readonly [number, number];
  channels: readonly [number, number];
  kernel: readonly [number, number];
  stride?: number;
  pad?: number;
  dilation?: number;
  group?: number;
}

function windowOf({ kernel, stride = 1, pad = 0, dilation = 1 }: Images) {
  return {
    kernel,
    strides: [stride, stride],
    pads: [pad, pad, pad, pad],
    dilations: [dilation, dilation],
  } as const;
}

function outputSize({ size, kernel, stride = 1, pad = 0, dilation = 1 }: Images): number[] {
  return size.map((length, axis) => {
    const covered = (kernel[axis]! - 1) * dilation + 1;
    return Math.floor((length + 2 * pad - covered) / stride) + 1;
  });
}

function conv(images: Images, to: Result = 'uint8'): Probe {
  const { channels, kernel, group = 1 } = images;
  const [inChannels, outChannels] = channels;
  const depth = (kernel[0] * kernel[1] * inChannels) / group;
  const bytes = packedBytes(depth, outChannels / group) * group;
  const attributes: OpAttributes['IntegerConv'] = {
    ...windowOf(images),
    to,
    unsigned: false,
    packed: true,
    group,
    inChannels,
    outChannels,
  };
  return probe(
    'IntegerConv',
    attributes,
    [
      typed('uint8', 1, ...images.size, inChannels),
      constant([bytes], 'int8'),
      ...parameters(to, outChannels),
    ],
    typed(to, 1, ...outputSize(images), outChannels),
  );
}

function maxPool(images: Images): Probe {
  const [channels] = images.channels;
  return probe(
    'MaxPool',
    { ...windowOf(images), ceilMode: false },
    [typed('uint8', 1, ...images.size, channels)],
    typed('uint8', 1, ...outputSize(images), channels),
  );
}

function transposed(dims: number[], permutation: number[]): Probe {
  const output = permutation.map((axis) => dims[axis]!);
  return probe('Transpose', { permutation }, [typed('uint8', ...dims)], typed('uint8', ...output));
}

/** With a scale for each row, each column, or all. */
function scaled(op: 'Quantize' | 'Dequantize', rows: number, columns: number, axis?: 0 | 1): Probe {
  const dims = [rows, columns];
  const scales = axis === undefined ? [] : [dims[axis]!];
  const shared = { axis: axis ?? 0, block: 0 };
  return op === 'Quantize'
    ? probe(
        'Quantize',
        { to: 'uint8', ...shared },
        [typed('float32', ...dims), floats(scales, 0.03)],
        typed('uint8', ...dims),
      )
    : probe(
        'Dequantize',
        shared,
        [typed('uint8', ...dims), floats(scales, 0.03)],
        typed('float32', ...dims),
      );
}

function quantizedBinary(kind: 'add' | 'mul', dims: number[], other: number[]): Probe {
  const scales = [0.0131, 0.0217, 0.0309].map((scale) => [floats([], scale), byte('uint8', 120)]);
  return probe(
    'QuantizedBinary',
    { kind },
    [typed('uint8', ...dims), typed('uint8', ...other), ...scales.flat()],
    typed('uint8', ...dims),
  );
}

function dynamicQuantize(count: number): Probe {
  const outputs = ['y', 'scale', 'zero'];
  const node = { op: 'DynamicQuantize' as const, name: 'DynamicQuantize', attributes: {}, outputs };
  return new Probe([{ ...node, inputs: ['a'] }], {
    a: typed('float32', count),
    y: typed('uint8', count),
    scale: typed('float32'),
    zero: typed('uint8'),
  });
}

const images: Images[] = [
  { size: [32, 32], channels: [3, 16], kernel: [7, 7], stride: 2, pad: 3 },
  { size: [16, 16], channels: [16, 16], kernel: [3, 3], pad: 1 },
  { size: [8, 8], channels: [32, 32], kernel: [3, 3], pad: 1 },
  { size: [16, 16], channels: [16, 32], kernel: [1, 1], stride: 2 },
  { size: [14, 14], channels: [48, 40], kernel: [1, 1] },
  { size: [9, 20], channels: [24, 20], kernel: [3, 3], stride: 2, pad: 1 },
  { size: [12, 12], channels: [64, 64], kernel: [3, 3], pad: 1 },
  { size: [10, 10], channels: [32, 32], kernel: [3, 3], pad: 1, group: 4 },
  { size: [10, 10], channels: [16, 24], kernel: [3, 3], pad: 2, dilation: 2 },
  { size: [2, 2], channels: [64, 64], kernel: [3, 3], pad: 1 },
];
const depthwise: Images[] = [
  { size: [24, 20], channels: [32, 32], kernel: [3, 3], pad: 1 },
  { size: [24, 20], channels: [24, 24], kernel: [3, 3], pad: 1, stride: 2 },
  { size: [13, 11], channels: [40, 40], kernel: [5, 5], pad: 2 },
  { size: [7, 7], channels: [240, 240], kernel: [3, 3], pad: 1 },
  { size: [30, 30], channels: [4, 4], kernel: [3, 3] },
];
const pools: Images[] = [
  { size: [32, 32], channels: [16, 16], kernel: [3, 3], stride: 2, pad: 1 },
  { size: [24, 24], channels: [64, 64], kernel: [2, 2], stride: 2 },
  { size: [9, 9], channels: [10, 10], kernel: [5, 5], pad: 2 },
  { size: [7, 40], channels: [37, 37], kernel: [3, 2] },
];
const results: readonly Result[] = ['int32', 'float32', 'uint8'];

/** Probes of operators that work on bytes. */
export const integerProbes: readonly Probe[] = [
  ...results.flatMap((to) => [
    product(to, 32, 64, 64),
    product(to, 1, 64, 10),
    product(to, 3, 100, 37),
    product(to, 40, 16, 200),
    product(to, 7, 300, 20),
    product(to, 1, 256, 1100),
    product(to, 64, 128, 30),
  ]),
  ...[
    [1, 512, 300],
    [1, 64, 1000],
    [1, 1000, 64],
    [2, 100, 100],
    [3, 64, 256],
    [2, 256, 40],
    [16, 256, 128],
    [24, 96, 96],
  ].map(([rows, k, n]) => product('float32', rows!, k!, n!)),
  packedWhileItRuns(4, 64, 64),
  packedWhileItRuns(1, 300, 10),
  packedWhileItRuns(16, 32, 70),
  ...images.map((some) => conv(some)),
  conv(images[1]!, 'int32'),
  conv(images[5]!, 'float32'),
  ...depthwise.map((some) => conv({ ...some, group: some.channels[0] })),
  ...pools.map(maxPool),
  transposed([3, 40, 40], [1, 2, 0]),
  transposed([3, 7, 9], [1, 2, 0]),
  transposed([64, 40], [1, 0]),
  transposed([33, 30], [1, 0]),
  transposed([20, 5, 70], [0, 2, 1]),
  ...(['Quantize', 'Dequantize'] as const).flatMap((op) => [
    scaled(op, 40, 120),
    scaled(op, 3, 333),
    scaled(op, 40, 120, 0),
    scaled(op, 30, 37, 0),
    scaled(op, 40, 120, 1),
    scaled(op, 31, 37, 1),
  ]),
  ...[16, 1003, 9600].map(dynamicQuantize),
  ...(['add', 'mul'] as const).flatMap((kind) => [
    quantizedBinary(kind, [4096], [4096]),
    quantizedBinary(kind, [70, 37], [70, 37]),
    quantizedBinary(kind, [70, 40], [40]),
    quantizedBinary(kind, [70, 40], [70, 1]),
  ]),
];
