import { type GraphNode, intAttribute } from '../graph/graph.js';
import { Compute } from '../graph/lower/compute.js';
import type { Lowering } from '../graph/lower/lowering.js';
import type { Dim } from '../graph/shapes/dim.js';
import type { Rule } from '../graph/shapes/operation.js';
import { shapeFrom } from '../graph/shapes/shape-from.js';
import type { OperatorFamily } from './operator.js';

/** Theta [n, d, d+1], sizes [n, c, sizes of d dimensions]: [n, sizes, d]. */
const shape: Rule = (op) => {
  const [batch, rank] = op.dims(0);
  const sizes = shapeFrom(op, 1)
    .slice(2)
    .map((size, axis) =>
      op.facts(1).values?.[axis + 2] === undefined ? op.open(0, axis + 1) : size,
    );
  return [{ dtype: op.dtype(0), dims: [batch!, ...sizes, rank!] }];
};

/** Places -1 to 1 along each dimension, the last first, times the columns of theta. */
function lower(node: GraphNode, to: Lowering): void {
  const [theta, size] = node.inputs as [string, string];
  const output = node.outputs[0]!;
  const compute = new Compute(node, to);
  const dims = to.dims(output);
  const spatial = dims.length - 2;
  const isAligned = intAttribute(node, 'align_corners', 0) === 1;
  const sizes = to.asInt64(node, size);
  let sum = column(node, to, theta, spatial);
  for (let k = spatial - 1; k >= 0; k--) {
    const axis = spatial - 1 - k;
    const at = places(node, to, sizes, axis, dims[axis + 1]!, isAligned);
    const after = Array<number>(spatial - axis).fill(1);
    const wide = compute.reshape(at, [-1, ...after], [dims[axis + 1]!, ...after]);
    const part = compute.binary('mul', wide, column(node, to, theta, k));
    sum = compute.binary('add', part, sum, k === 0 ? output : undefined);
  }
}

/** A column of theta as [n, 1.., d]. */
function column(node: GraphNode, to: Lowering, theta: string, index: number): string {
  const compute = new Compute(node, to);
  const [batch, rank] = to.dims(theta) as [Dim, number];
  const ones = Array<number>(rank).fill(1);
  return compute.reshape(
    compute.slice(theta, 2, index, index + 1),
    [0, ...ones, rank],
    [batch, ...ones, rank],
  );
}

/** The middles of the pixels along a dimension, or with `isAligned` from -1 to 1. */
function places(
  node: GraphNode,
  to: Lowering,
  sizes: string,
  axis: number,
  count: Dim,
  isAligned: boolean,
): string {
  const compute = new Compute(node, to);
  const whole = (value: number): string => to.numbers(`${node.name}/number`, 'int64', [], [value]);
  const size = compute.gather(sizes, whole(axis + 2));
  const pixels = to.temporary(`${node.name}/pixels`, 'int64', [count]);
  to.add('Range', node, [whole(0), size, whole(1)], [pixels], {});
  const last = compute.binary('sub', size, whole(1));
  const twice = compute.binary('mul', pixels, whole(2));
  const dtype = to.dtype(node.inputs[0]!);
  const steps = isAligned ? compute.binary('max', last, whole(1)) : size;
  const from = compute.cast(compute.binary('sub', twice, last), dtype);
  return compute.binary('div', from, compute.cast(steps, dtype));
}

export const affineGridFamily: OperatorFamily = {
  model: { AffineGrid: { shape, lower, types: ['float32', 'float64'] } },
  program: {},
};
