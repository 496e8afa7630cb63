import type { DTypeName } from '@canopy/protocol';
import { multiply, type Dim } from '../dim.js';
import { likeFirst, rulesFor, type Operation, type Rule } from '../operation.js';
import { positions, requireFit, requireImage, transposedPositions, windowOf } from './window.js';

/** Notes that each of these inputs, where given, must have one number for each channel. */
function requirePerChannel(op: Operation, channels: Dim, ...inputs: number[]): void {
  for (const input of inputs) if (op.has(input)) op.requireSame(op.dims(input)[0]!, channels);
}

/** A convolution whose filter is input `filter`, its bias input `bias`. */
function conv(filter: number, bias: number, typeOf: (op: Operation) => DTypeName): Rule {
  return (op) => {
    const [batch, channels, ...spatial] = op.dims(0);
    const [outChannels, perGroup, ...kernel] = op.dims(filter);
    const groups = op.int('group', 1);
    op.requireSame(channels!, multiply(perGroup!, groups));
    if (typeof outChannels === 'number' && outChannels % groups !== 0) {
      throw op.badModel(`has ${outChannels} filters, which ${groups} groups cannot share`);
    }
    requirePerChannel(op, outChannels!, bias);
    const window = windowOf(op, spatial.length, kernel);
    requireFit(op, spatial, window, 'filter');
    return [{ dtype: typeOf(op), dims: [batch!, outChannels!, ...positions(spatial, window)] }];
  };
}

/** Of a convolution that has none: no input of that number. */
const noBias = 99;

const convTranspose: Rule = (op) => {
  const [batch, , ...spatial] = op.dims(0);
  const [, perGroup, ...kernel] = op.dims(1);
  const outChannels = multiply(perGroup!, op.int('group', 1));
  const sizes = transposedPositions(op, spatial, windowOf(op, spatial.length, kernel));
  return [{ dtype: op.dtype(0), dims: [batch!, outChannels, ...sizes] }];
};

const pool: Rule = (op) => {
  const [batch, channels, ...spatial] = op.dims(0);
  const window = windowOf(op, spatial.length);
  const { kernel, pads } = window;
  const wide = pads.findIndex((pad, side) => pad >= kernel[side % kernel.length]!);
  if (wide >= 0) {
    const side = `${pads[wide]!} where its window spans ${kernel[wide % kernel.length]!}`;
    throw op.badModel(`pads by ${side}; the padding must be smaller than the window`);
  }
  requireFit(op, spatial, window, 'pooling window');
  const sizes = positions(spatial, window, op.int('ceil_mode', 0) === 1);
  const dims: Dim[] = [batch!, channels!, ...sizes];
  return [
    { dtype: op.dtype(0), dims },
    { dtype: 'int64', dims },
  ];
};

const globalPool: Rule = (op) => {
  const [batch, channels, ...spatial] = op.dims(0);
  requireImage(op, spatial);
  return [{ dtype: op.dtype(0), dims: [batch!, channels!, ...spatial.map(() => 1)] }];
};

export const convolution: Record<string, Rule> = {
  ...rulesFor(
    conv(1, 2, (op) => op.dtype(0)),
    'Conv',
    'com.microsoft.FusedConv',
  ),
  ConvInteger: conv(1, noBias, () => 'int32'),
  QLinearConv: conv(3, 8, (op) => op.dtype(7)),
  DeformConv: conv(1, 3, (op) => op.dtype(0)),
  ConvTranspose: convTranspose,
  ...rulesFor(pool, 'MaxPool', 'AveragePool', 'LpPool'),
  ...rulesFor(globalPool, 'GlobalAveragePool', 'GlobalMaxPool', 'GlobalLpPool'),
  BatchNormalization: (op) => {
    requirePerChannel(op, op.dims(0)[1] ?? 1, 1, 2, 3, 4);
    const statistics = { dtype: op.dtype(0), dims: op.dims(0).slice(1, 2) };
    return [op.like(0), statistics, statistics, statistics, statistics];
  },
  ...rulesFor(likeFirst(), 'InstanceNormalization', 'GroupNormalization', 'LRN', 'LpNormalization'),
};
