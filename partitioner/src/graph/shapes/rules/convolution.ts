import type { DTypeName } from '@canopy/protocol';
import { multiply, type Dim } from '../dim.js';
import { likeFirst, rulesFor, type Operation, type Rule } from '../operation.js';
import { positions, transposedPositions, windowOf } from './window.js';

/** A convolution whose filter is input `filter`. */
function conv(filter: number, typeOf: (op: Operation) => DTypeName): Rule {
  return (op) => {
    const [batch, channels, ...spatial] = op.dims(0);
    const [outChannels, perGroup, ...kernel] = op.dims(filter);
    op.requireSame(channels!, multiply(perGroup!, op.int('group', 1)));
    const window = windowOf(op, spatial.length, kernel);
    return [{ dtype: typeOf(op), dims: [batch!, outChannels!, ...positions(spatial, window)] }];
  };
}

const convTranspose: Rule = (op) => {
  const [batch, , ...spatial] = op.dims(0);
  const [, perGroup, ...kernel] = op.dims(1);
  const outChannels = multiply(perGroup!, op.int('group', 1));
  const sizes = transposedPositions(op, spatial, windowOf(op, spatial.length, kernel));
  return [{ dtype: op.dtype(0), dims: [batch!, outChannels, ...sizes] }];
};

const pool: Rule = (op) => {
  const [batch, channels, ...spatial] = op.dims(0);
  const sizes = positions(spatial, windowOf(op, spatial.length), op.int('ceil_mode', 0) === 1);
  const dims: Dim[] = [batch!, channels!, ...sizes];
  return [
    { dtype: op.dtype(0), dims },
    { dtype: 'int64', dims },
  ];
};

const globalPool: Rule = (op) => {
  const [batch, channels, ...spatial] = op.dims(0);
  return [{ dtype: op.dtype(0), dims: [batch!, channels!, ...spatial.map(() => 1)] }];
};

export const convolution: Record<string, Rule> = {
  ...rulesFor(
    conv(1, (op) => op.dtype(0)),
    'Conv',
    'com.microsoft.FusedConv',
  ),
  ConvInteger: conv(1, () => 'int32'),
  QLinearConv: conv(3, (op) => op.dtype(7)),
  DeformConv: conv(1, (op) => op.dtype(0)),
  ConvTranspose: convTranspose,
  ...rulesFor(pool, 'MaxPool', 'AveragePool', 'LpPool'),
  ...rulesFor(globalPool, 'GlobalAveragePool', 'GlobalMaxPool', 'GlobalLpPool'),
  BatchNormalization: (op) => {
    const statistics = { dtype: op.dtype(0), dims: op.dims(0).slice(1, 2) };
    return [op.like(0), statistics, statistics, statistics, statistics];
  },
  ...rulesFor(likeFirst(), 'InstanceNormalization', 'GroupNormalization', 'LRN', 'LpNormalization'),
};
