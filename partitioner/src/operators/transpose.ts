import { permutedSteps, stridedWork } from '../cost/work/strided.js';
import { type GraphNode, intsAttribute } from '../graph/graph.js';
import type { Lowering } from '../graph/lower/lowering.js';
import { along } from '../graph/rows/rows.js';
import type { RowRule } from '../graph/rows/rule.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

function lower(node: GraphNode, to: Lowering): void {
  const rank = to.rank(node.inputs[0]!);
  const permutation = intsAttribute(node, 'perm') ?? [...Array(rank).keys()].reverse();
  to.add('Transpose', node, [node.inputs[0]!], [node.outputs[0]!], { permutation });
}

const shape: Rule = (op) => {
  const dims = op.dims(0);
  const order = op.ints('perm') ?? dims.map((_, axis) => dims.length - 1 - axis);
  const { values } = op.facts(0);
  const keepsOrder = values && dims.length < 2;
  return [
    { dtype: op.dtype(0), dims: order.map((axis) => dims[axis]!), ...(keepsOrder && { values }) },
  ];
};

const rows: RowRule<'Transpose'> = ({ first, attributes }) => {
  if (first.kind !== 'along') return first;
  const axis = attributes.permutation.indexOf(first.axis);
  return along(axis, first.outer, first.inner);
};

export const transposeFamily: OperatorFamily = {
  model: {
    Transpose: { shape, lower, types: ['any'] },
  },
  program: {
    Transpose: {
      rows,
      work: ({ attributes, inputs, outputs, dtypes }) =>
        stridedWork(outputs[0]!, permutedSteps(inputs[0]!, attributes.permutation), dtypes[0]!),
    },
  },
};
