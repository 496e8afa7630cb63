import { elementCount } from '@canopy/protocol';
import { plainWork } from '../cost/work/work.js';
import { sameInputs } from '../graph/lower/same-inputs.js';
import { mixing } from '../graph/rows/rule.js';
import type { OperatorFamily } from './operator.js';

/** Instructions of two looks at an element, and of an index that is written. */
const lookCost = 40;
const indexCost = 50;

export const nonZeroFamily: OperatorFamily = {
  model: {
    NonZero: {
      shape: (op) => [{ dtype: 'int64', dims: [op.rank(0), op.open(0, 1)] }],
      lower: sameInputs('NonZero', () => ({})),
      types: ['any'],
    },
  },
  program: {
    NonZero: {
      rows: mixing,
      work: ({ inputs, outputs }) =>
        plainWork(elementCount(inputs[0]!) * lookCost + elementCount(outputs[0]!) * indexCost),
    },
  },
};
