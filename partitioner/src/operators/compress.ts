import { dtypeBytes, elementCount } from '@canopy/protocol';
import { plainWork } from '../cost/work/work.js';
import { sameInputs } from '../graph/lower/same-inputs.js';
import { mixing } from '../graph/rows/rule.js';
import { fromFront } from '../graph/shapes/facts.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

/** Instructions of a look at the condition, and of a part that is copied beside half a one a byte. */
const lookCost = 25;
const partCost = 60;

const shape: Rule = (op) => {
  const axis = op.attribute('axis');
  if (axis?.kind !== 'int') return [{ dtype: op.dtype(0), dims: [op.open(0, 0)] }];
  const at = fromFront(axis.value, op.rank(0));
  return [{ dtype: op.dtype(0), dims: op.dims(0).with(at, op.open(0, at)) }];
};

export const compressFamily: OperatorFamily = {
  model: {
    Compress: {
      shape,
      lower: sameInputs('Compress', (node) => {
        const axis = node.attributes.get('axis');
        return { axis: axis?.kind === 'int' ? axis.value : 0, flat: axis === undefined };
      }),
      types: ['any'],
    },
  },
  program: {
    Compress: {
      rows: mixing,
      work: ({ inputs, outputs, dtypes }) => {
        const bytes = elementCount(outputs[0]!) * dtypeBytes(dtypes[0]!);
        const looks = elementCount(inputs[1]!);
        return plainWork(looks * (lookCost + partCost) + bytes / 2);
      },
    },
  },
};
