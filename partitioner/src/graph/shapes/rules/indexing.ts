import { floorDivide, multiply, type Dim } from '../dim.js';
import { fromFront, NotDerivable } from '../facts.js';
import { likeFirst, rulesFor, type Rule } from '../operation.js';
import { readDType } from '../../../onnx/read-tensor.js';

const gatherND: Rule = (op) => {
  const batch = op.int('batch_dims', 0);
  const indices = op.dims(1);
  const depth = indices.at(-1);
  if (typeof depth !== 'number') throw new NotDerivable('the depth of its indices is open');
  const dims = [...indices.slice(0, -1), ...op.dims(0).slice(batch + depth)];
  return [{ dtype: op.dtype(0), dims }];
};

const oneHot: Rule = (op) => {
  const rank = op.rank(0) + 1;
  const axis = fromFront(op.int('axis', -1), rank);
  const dims = [...op.dims(0)];
  dims.splice(axis, 0, op.facts(1).values?.[0] ?? op.open(0, axis));
  return [{ dtype: op.dtype(2), dims }];
};

const depthToSpace: Rule = (op) => {
  const [batch, channels, height, width] = op.dims(0);
  const block = op.int('blocksize', 1);
  const dims: Dim[] = [
    batch!,
    floorDivide(channels!, block * block),
    multiply(height!, block),
    multiply(width!, block),
  ];
  return [{ dtype: op.dtype(0), dims }];
};

const spaceToDepth: Rule = (op) => {
  const [batch, channels, height, width] = op.dims(0);
  const block = op.int('blocksize', 1);
  const dims: Dim[] = [
    batch!,
    multiply(channels!, block * block),
    floorDivide(height!, block),
    floorDivide(width!, block),
  ];
  return [{ dtype: op.dtype(0), dims }];
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
  GatherElements: (op) => [{ dtype: op.dtype(0), dims: op.dims(1) }],
  GatherND: gatherND,
  ...rulesFor(likeFirst(), 'Scatter', 'ScatterElements', 'ScatterND', 'TensorScatter'),
  OneHot: oneHot,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  NonZero: nonZero,
  Compress: compress,
  EyeLike: eyeLike,
  GridSample: gridSample,
};
