import { dtypeBytes, elementCount } from '@canopy/protocol';
import { renamedWork } from '../cost/work/strided.js';
import type { GraphNode } from '../graph/graph.js';
import { type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import { sameInputs } from '../graph/lower/same-inputs.js';
import { keeps } from '../graph/rows/rule.js';
import { onElement } from '../graph/shapes/elements.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

/** As in inference: nothing, and a mask that keeps all. */
function dropout(node: GraphNode, to: Lowering): void {
  const [input, , training = ''] = node.inputs as [string, string?, string?];
  if (training !== '' && to.constant(training)?.read(0, 1)[0] !== 0) {
    throw new UnsupportedNode('drops out, as in training', 'export the model for inference');
  }
  to.add('Identity', node, [input], [node.outputs[0]!], {});
  const mask = node.outputs[1] ?? '';
  if (mask === '') return;
  to.requireType(mask, 'bool');
  const rank = to.rank(input);
  const sizes = to.temporary(`${node.name}/sizes`, 'int64', [rank]);
  to.add('Shape', node, [input], [sizes], { start: 0, end: rank });
  to.add('ConstantOfShape', node, [sizes], [mask], { dtype: 'bool', value: 1n });
}

/** The mask has the type of the input before operator set 10. */
const dropoutShape: Rule = (op) => [op.like(0), op.like(0, op.opset < 10 ? op.dtype(0) : 'bool')];

export const identityFamily: OperatorFamily = {
  model: {
    Identity: {
      shape: onElement((value) => value),
      lower: sameInputs('Identity', () => ({})),
      types: ['any'],
    },
    Dropout: {
      shape: dropoutShape,
      lower: dropout,
      types: ['any'],
      limits: 'does nothing, as in inference',
    },
  },
  program: {
    Identity: {
      rows: keeps(() => true),
      work: ({ inputs, dtypes }, inPlace) =>
        renamedWork(elementCount(inputs[0]!) * dtypeBytes(dtypes[0]!), inPlace),
    },
  },
};
