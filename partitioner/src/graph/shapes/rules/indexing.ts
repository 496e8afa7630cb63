import { fromFront } from '../facts.js';
import { likeFirst, rulesFor, type Rule } from '../operation.js';
import { readDType } from '../../../onnx/read-tensor.js';

const oneHot: Rule = (op) => {
  const rank = op.rank(0) + 1;
  const axis = fromFront(op.int('axis', -1), rank);
  const dims = [...op.dims(0)];
  dims.splice(axis, 0, op.facts(1).values?.[0] ?? op.open(0, axis));
  return [{ dtype: op.dtype(2), dims }];
};

const nonZero: Rule = (op) => [{ dtype: 'int64', dims: [op.rank(0), op.open(0, 1)] }];

const compress: Rule = (op) => {
  const axis = op.attribute('axis');
  if (axis?.kind !== 'int') return [{ dtype: op.dtype(0), dims: [op.open(0, 0)] }];
  const at = fromFront(axis.value, op.rank(0));
  return [{ dtype: op.dtype(0), dims: op.dims(0).with(at, op.open(0, at)) }];
};

const eyeLike: Rule = (op) => {
  const dtype = op.attribute('dtype');
  const type =
    dtype?.kind === 'int' ? readDType(dtype.value, op.node.op, op.node.name) : op.dtype(0);
  return [op.like(0, type)];
};

const gridSample: Rule = (op) => [
  { dtype: op.dtype(0), dims: [...op.dims(0).slice(0, 2), ...op.dims(1).slice(1, -1)] },
];

export const indexing: Record<string, Rule> = {
  ...rulesFor(likeFirst(), 'TensorScatter'),
  OneHot: oneHot,
  NonZero: nonZero,
  Compress: compress,
  EyeLike: eyeLike,
  GridSample: gridSample,
};
