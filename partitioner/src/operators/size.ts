import type { GraphNode } from '../graph/graph.js';
import type { Lowering } from '../graph/lower/lowering.js';
import { elements } from '../graph/shapes/facts.js';
import type { OperatorFamily } from './operator.js';

/** The product of all sizes. */
function lower(node: GraphNode, to: Lowering): void {
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  const sizes = to.temporary(`${node.name}/shape`, 'int64', [to.rank(input)]);
  to.add('Shape', node, [input], [sizes], { start: 0, end: 0x7fffffff });
  to.add('Reduce', node, [sizes], [output], { kind: 'prod', keepDims: false, axes: [] });
}

export const sizeFamily: OperatorFamily = {
  model: {
    Size: {
      shape: (op) => [{ dtype: 'int64', dims: [], values: [elements(op.dims(0))] }],
      lower,
      types: ['any'],
    },
  },
  program: {},
};
