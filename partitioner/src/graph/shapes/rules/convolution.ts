import { convShape, globalPoolShape, poolShape } from '../convolution.js';
import { multiply } from '../dim.js';
import { likeFirst, type Rule, rulesFor } from '../operation.js';
import { transposedPositions, windowSizes } from '../window.js';

const convTranspose: Rule = (op) => {
  const [batch, , ...spatial] = op.dims(0);
  const [, perGroup, ...kernel] = op.dims(1);
  const outChannels = multiply(perGroup!, op.int('group', 1));
  const sizes = transposedPositions(op, spatial, windowSizes(op, spatial.length, kernel));
  return [{ dtype: op.dtype(0), dims: [batch!, outChannels, ...sizes] }];
};

export const convolution: Record<string, Rule> = {
  ConvInteger: convShape(1, () => 'int32'),
  QLinearConv: convShape(3, (op) => op.dtype(7)),
  DeformConv: convShape(1, (op) => op.dtype(0)),
  ConvTranspose: convTranspose,
  LpPool: poolShape,
  GlobalLpPool: globalPoolShape,
  ...rulesFor(likeFirst(), 'InstanceNormalization', 'GroupNormalization', 'LRN', 'LpNormalization'),
};
