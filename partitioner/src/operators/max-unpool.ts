import { type GraphNode, intsAttribute } from '../graph/graph.js';
import { Compute } from '../graph/lower/compute.js';
import { type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import { add, type Dim, multiply, product } from '../graph/shapes/dim.js';
import type { Rule } from '../graph/shapes/operation.js';
import { shapeFrom } from '../graph/shapes/shape-from.js';
import type { OperatorFamily } from './operator.js';

/** What a dimension that was pooled had: `positions * factor + offset`. */
function extents(node: GraphNode, rank: number): { factor: number; offset: number }[] {
  const kernel = intsAttribute(node, 'kernel_shape') ?? [];
  const pads = intsAttribute(node, 'pads') ?? [];
  return Array.from({ length: rank }, (_, axis) => {
    const factor = intsAttribute(node, 'strides')?.[axis] ?? 1;
    const padded = (pads[axis] ?? 0) + (pads[axis + rank] ?? 0);
    return { factor, offset: (kernel[axis] ?? 1) - factor - padded };
  });
}

const shape: Rule = (op) => {
  const dtype = op.dtype(0);
  if (op.has(2)) {
    const { values } = op.facts(2);
    const sizes = shapeFrom(op, 2).map((size, axis) =>
      values?.[axis] === undefined ? op.open(0, axis) : size,
    );
    return [{ dtype, dims: sizes }];
  }
  const [batch, channels, ...spatial] = op.dims(0);
  const given = extents(op.node, spatial.length);
  const sizes = spatial.map((size, axis) =>
    add(multiply(size, given[axis]!.factor), given[axis]!.offset),
  );
  return [{ dtype, dims: [batch!, channels!, ...sizes] }];
};

/** Zeros but for the elements that were largest, at their places among all elements of the result. */
function lower(node: GraphNode, to: Lowering): void {
  const [x, places, given = ''] = node.inputs as [string, string, string?];
  const output = node.outputs[0]!;
  const compute = new Compute(node, to);
  const spatial = to.rank(x) - 2;
  if (spatial < 1) throw new UnsupportedNode('works on no images', 'use [batch, channels, ...]');
  const count: Dim = product(to.dims(output));
  let sizes = given;
  if (given === '') {
    const found = extents(node, spatial);
    const list = (name: 'factor' | 'offset'): string =>
      to.ints(
        `${node.name}/${name}`,
        found.map((extent) => extent[name]),
      );
    const scaled = compute.binary('mul', compute.shapeOf(x, 2), list('factor'));
    sizes = compute.sizes(compute.shapeOf(x, 0, 2), compute.binary('add', scaled, list('offset')));
  }
  const dtype = to.dtype(x);
  const zeros = to.temporary(`${node.name}/zeros`, dtype, to.dims(output));
  to.add('ConstantOfShape', node, [sizes], [zeros], { dtype, value: 0n });
  const flat = (name: string, size: Dim): string => compute.reshape(name, [-1], [size]);
  const all = to.temporary(`${node.name}/all`, dtype, [count]);
  const inputs = [
    flat(zeros, count),
    flat(places, product(to.dims(places))),
    flat(x, product(to.dims(x))),
  ];
  to.add('ScatterElements', node, inputs, [all], { axis: 0, reduction: 'none' });
  compute.reshapeTo(all, sizes, to.dims(output), output);
}

export const maxUnpoolFamily: OperatorFamily = {
  model: { MaxUnpool: { shape, lower, types: ['float32'] } },
  program: {},
};
