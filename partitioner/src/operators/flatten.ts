import { dtypeBytes, elementCount } from '@canopy/protocol';
import { renamedWork } from '../cost/work/strided.js';
import { intAttribute } from '../graph/graph.js';
import { sameInputs } from '../graph/lower/same-inputs.js';
import { sameElements } from '../graph/rows/rule.js';
import { product } from '../graph/shapes/dim.js';
import type { Rule } from '../graph/shapes/operation.js';
import { reshaped } from '../graph/shapes/reshaped.js';
import type { OperatorFamily } from './operator.js';

const shape: Rule = (op) => {
  const dims = op.dims(0);
  const axis = op.axis('axis', 1, dims.length);
  return [reshaped(op, [product(dims.slice(0, axis)), product(dims.slice(axis))])];
};

export const flattenFamily: OperatorFamily = {
  model: {
    Flatten: {
      shape,
      lower: sameInputs('Flatten', (node, to) => ({
        axis: to.axis(intAttribute(node, 'axis', 1), to.rank(node.inputs[0]!)),
      })),
      types: ['any'],
    },
  },
  program: {
    Flatten: {
      rows: sameElements,
      work: ({ inputs, dtypes }, inPlace) =>
        renamedWork(elementCount(inputs[0]!) * dtypeBytes(dtypes[0]!), inPlace),
    },
  },
};
