import { dtypeBytes, elementCount } from '@canopy/protocol';
import { renamedWork } from '../cost/work/strided.js';
import type { GraphNode } from '../graph/graph.js';
import { type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import { sameInputs } from '../graph/lower/same-inputs.js';
import { keeps } from '../graph/rows/rule.js';
import { onElement } from '../graph/shapes/elements.js';
import type { OperatorFamily } from './operator.js';

/** As in inference: nothing. */
function dropout(node: GraphNode, to: Lowering): void {
  if ((node.outputs[1] ?? '') !== '') {
    throw new UnsupportedNode('gives its mask', 'use its first output only');
  }
  to.add('Identity', node, [node.inputs[0]!], [node.outputs[0]!], {});
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
      limits: 'first output only; does nothing, as in inference',
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
