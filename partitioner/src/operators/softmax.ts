import { around, rowCounts } from '../cost/work/strided.js';
import { type GraphNode, intAttribute } from '../graph/graph.js';
import type { Lowering } from '../graph/lower/lowering.js';
import { keeps } from '../graph/rows/rule.js';
import { product } from '../graph/shapes/dim.js';
import { fromFront } from '../graph/shapes/facts.js';
import { likeFirst } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

/** Before operator set 13, Softmax works on all dimensions from `axis` on as one. */
function lower(node: GraphNode, to: Lowering): void {
  const input = node.inputs[0]!;
  const output = node.outputs[0]!;
  to.requireType(input, 'float32');
  const rank = to.rank(input);
  const axis = to.axis(intAttribute(node, 'axis', to.opset < 13 ? 1 : -1), rank);
  if (to.opset >= 13 || axis === rank - 1) {
    to.add('Softmax', node, [input], [output], { axis });
    return;
  }
  const dims = to.dims(input);
  const flat = [product(dims.slice(0, axis)), product(dims.slice(axis))];
  const flattened = to.temporary(`${node.name}/flat`, 'float32', flat);
  const result = to.temporary(`${node.name}/softmax`, 'float32', flat);
  const shape = to.temporary(`${node.name}/shape`, 'int64', [rank]);
  to.add('Flatten', node, [input], [flattened], { axis });
  to.add('Softmax', node, [flattened], [result], { axis: 1 });
  to.add('Shape', node, [input], [shape], { start: 0, end: 0x7fffffff });
  to.add('Reshape', node, [result, shape], [output], { allowZero: false });
}

export const softmaxFamily: OperatorFamily = {
  model: {
    Softmax: { shape: likeFirst(), lower, types: ['float32'] },
  },
  program: {
    Softmax: {
      rows: (step) => {
        const rank = step.dims(0).length;
        return keeps((axis) => axis !== fromFront(step.attributes.axis, rank))(step);
      },
      work: ({ attributes, outputs }) => {
        const [outer, size, inner] = around(outputs[0]!, attributes.axis);
        if (inner === 1) return [{ kernel: 'softmax', counts: rowCounts(outer, size) }];
        const columns = outer * Math.ceil(inner / 4);
        return [{ kernel: 'softmaxColumns', counts: { column: columns, vector: columns * size } }];
      },
    },
  },
};
