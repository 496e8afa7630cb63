import { elementCount, type FloatClassName } from '@canopy/protocol';
import { plainWork } from '../cost/work/work.js';
import { intAttribute, type GraphNode } from '../graph/graph.js';
import type { Lower } from '../graph/lower/lowering.js';
import { keeps } from '../graph/rows/rule.js';
import { likeFirst } from '../graph/shapes/operation.js';
import type { ModelOperator, OperatorFamily } from './operator.js';

const elementCost = 30;

function infinityOf(node: GraphNode): FloatClassName | undefined {
  const positive = intAttribute(node, 'detect_positive', 1) === 1;
  const negative = intAttribute(node, 'detect_negative', 1) === 1;
  if (positive) return negative ? 'infinite' : 'positiveInfinity';
  return negative ? 'negativeInfinity' : undefined;
}

function classOf(kind: (node: GraphNode) => FloatClassName | undefined): ModelOperator {
  const lower: Lower = (node, to) => {
    const [input, output] = [node.inputs[0]!, node.outputs[0]!];
    const found = kind(node);
    if (found) {
      to.add('FloatClass', node, [input], [output], { kind: found });
      return;
    }
    // Neither infinity is asked for: false, in the shape of the input.
    const shape = to.temporary(`${node.name}/shape`, 'int64', [to.rank(input)]);
    to.add('Shape', node, [input], [shape], { start: 0, end: 0x7fffffff });
    to.add('ConstantOfShape', node, [shape], [output], { dtype: 'bool', value: 0n });
  };
  return { shape: likeFirst('bool'), lower, types: ['float32', 'float64'] };
}

export const floatClassFamily: OperatorFamily = {
  model: { IsNaN: classOf(() => 'nan'), IsInf: classOf(infinityOf) },
  program: {
    FloatClass: {
      rows: keeps(() => true),
      work: ({ outputs }) => plainWork(elementCount(outputs[0]!) * elementCost),
    },
  },
};
