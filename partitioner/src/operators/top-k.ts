import { elementCount, numbers } from '@canopy/protocol';
import { plainWork } from '../cost/work/work.js';
import { intAttribute, type GraphNode } from '../graph/graph.js';
import type { Lowering } from '../graph/lower/lowering.js';
import { keeps } from '../graph/rows/rule.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

/** Instructions of a look at an element, and of each step of one in the heap. */
const lookCost = 80;
const stepCost = 80;

/** `k` is an attribute until operator set 9, an input since. */
const shape: Rule = (op) => {
  const axis = op.axis('axis', -1, op.rank(0));
  const given = op.attribute('k');
  const k = given?.kind === 'int' ? given.value : (op.facts(1).values?.[0] ?? op.open(0, axis));
  const dims = op.dims(0).with(axis, k);
  return [
    { dtype: op.dtype(0), dims },
    { dtype: 'int64', dims },
  ];
};

function lower(node: GraphNode, to: Lowering): void {
  const [input] = node.inputs as [string];
  const given = node.attributes.get('k');
  const k =
    given?.kind === 'int' ? to.ints(`${node.name}/k`, [given.value]) : (node.inputs[1] ?? '');
  const axis = to.axis(intAttribute(node, 'axis', -1), to.rank(input));
  const [values, indices] = [0, 1].map((index) => {
    const name = node.outputs[index] ?? '';
    if (name !== '') return name;
    const other = node.outputs[1 - index]!;
    return to.temporary(
      `${node.name}/unused`,
      index === 0 ? to.dtype(input) : 'int64',
      to.dims(other),
    );
  }) as [string, string];
  const largest = intAttribute(node, 'largest', 1) === 1;
  to.add('TopK', node, [input, k], [values, indices], { axis, largest });
}

export const topKFamily: OperatorFamily = {
  model: { TopK: { shape, lower, types: numbers } },
  program: {
    TopK: {
      rows: (step) => keeps((axis) => axis !== step.attributes.axis)(step),
      sizeInputs: [1],
      work: ({ attributes, inputs, outputs }) => {
        const k = outputs[0]![attributes.axis] ?? 1;
        const steps = Math.log2(k + 1);
        const looks = elementCount(inputs[0]!) * lookCost;
        return plainWork(looks + 2 * elementCount(outputs[0]!) * steps * stepCost);
      },
      temporaries: ({ attributes, outputs }) => [4 * (outputs[0]![attributes.axis] ?? 1)],
    },
  },
};
