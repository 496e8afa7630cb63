import { likeFirst, rulesFor, type Rule } from '../operation.js';

const gridSample: Rule = (op) => [
  { dtype: op.dtype(0), dims: [...op.dims(0).slice(0, 2), ...op.dims(1).slice(1, -1)] },
];

export const indexing: Record<string, Rule> = {
  ...rulesFor(likeFirst(), 'TensorScatter'),
  GridSample: gridSample,
};
