import { NotDerivable } from '../facts.js';
import { likeFirst, rulesFor, type Rule } from '../operation.js';

const gatherND: Rule = (op) => {
  const batch = op.int('batch_dims', 0);
  const indices = op.dims(1);
  const depth = indices.at(-1);
  if (typeof depth !== 'number') throw new NotDerivable('the depth of its indices is open');
  const dims = [...indices.slice(0, -1), ...op.dims(0).slice(batch + depth)];
  return [{ dtype: op.dtype(0), dims }];
};

const gridSample: Rule = (op) => [
  { dtype: op.dtype(0), dims: [...op.dims(0).slice(0, 2), ...op.dims(1).slice(1, -1)] },
];

export const indexing: Record<string, Rule> = {
  GatherElements: (op) => [{ dtype: op.dtype(0), dims: op.dims(1) }],
  GatherND: gatherND,
  ...rulesFor(likeFirst(), 'Scatter', 'ScatterElements', 'ScatterND', 'TensorScatter'),
  GridSample: gridSample,
};
