import { dtypeBytes, elementCount } from '@canopy/protocol';
import { renamedWork } from '../cost/work/strided.js';
import type { GraphNode } from '../graph/graph.js';
import { type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import { sameInputs } from '../graph/lower/same-inputs.js';
import { keeps } from '../graph/rows/rule.js';
import { onElement } from '../graph/shapes/elements.js';
import type { OperatorFamily } from './operator.js';

/** As in inference: nothing; its mask is all true. */
function dropout(node: GraphNode, to: Lowering): void {
  const [input, output, mask = ''] = [node.inputs[0]!, ...node.outputs] as [
    string,
    string,
    string?,
  ];
  const training = node.inputs[2] ?? '';
  if (training !== '' && to.constant(training)?.read(0, 1)[0] !== 0) {
    throw new UnsupportedNode('may be training', 'export the model for inference');
  }
  if (output !== '') to.add('Identity', node, [input], [output], {});
  if (mask === '') return;
  const shape = to.temporary(`${node.name}/shape`, 'int64', [to.rank(input)]);
  to.add('Shape', node, [input], [shape], { start: 0, end: 0x7fffffff });
  to.add('ConstantOfShape', node, [shape], [mask], { dtype: 'bool', value: 1n });
}

export const identityFamily: OperatorFamily = {
  model: {
    Identity: {
      shape: onElement((value) => value),
      lower: sameInputs('Identity', () => ({})),
      types: ['any'],
    },
    Dropout: {
      shape: (op) => [op.like(0), op.like(0, 'bool')],
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
