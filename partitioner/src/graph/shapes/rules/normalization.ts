import type { Facts } from '../facts.js';
import { likeFirst, rulesFor, type Rule } from '../operation.js';

/** Mean and deviation have 1 in place of each dimension from the axis on. */
const layerNormalization: Rule = (op) => {
  const axis = op.axis('axis', -1, op.rank(0));
  for (const input of [1, 2])
    if (op.has(input)) op.requireBroadcastsTo(input, op.dims(0).slice(axis));
  const statistics: Facts = {
    dtype: 'float32',
    dims: op.dims(0).map((dim, at) => (at < axis ? dim : 1)),
  };
  return [op.like(0), statistics, statistics];
};

/** Outputs: the result, mean, deviation, and the sum of input and skip. */
const skipNormalization: Rule = (op) => {
  const last = op.dims(0).slice(-1);
  for (const input of [2, 3, 4]) if (op.has(input)) op.requireBroadcastsTo(input, last);
  const statistics: Facts = { dtype: 'float32', dims: [...op.dims(0).slice(0, -1), 1] };
  return [op.like(0), statistics, statistics, op.like(0)];
};

/** Along an axis. */
const softmax: Rule = (op) => {
  op.axis('axis', -1, op.rank(0));
  return [op.like(0)];
};

export const normalization: Record<string, Rule> = {
  ...rulesFor(softmax, 'Softmax', 'LogSoftmax', 'Hardmax'),
  ...rulesFor(
    likeFirst(),
    'MeanVarianceNormalization',
    'RMSNormalization',
    'com.microsoft.GroupNorm',
  ),
  ...rulesFor(
    layerNormalization,
    ...['LayerNormalization', 'SimplifiedLayerNormalization'],
    ...['com.microsoft.SimplifiedLayerNormalization', 'com.microsoft.LayerNormalization'],
  ),
  ...rulesFor(
    skipNormalization,
    'com.microsoft.SkipLayerNormalization',
    'com.microsoft.SkipSimplifiedLayerNormalization',
  ),
};
