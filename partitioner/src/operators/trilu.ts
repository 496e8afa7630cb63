import { dtypeBytes, elementCount } from '@canopy/protocol';
import { plainWork } from '../cost/work/work.js';
import { intAttribute } from '../graph/graph.js';
import { sameInputs } from '../graph/lower/same-inputs.js';
import { keeps } from '../graph/rows/rule.js';
import { likeFirst } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

/** Instructions of a row, and of a byte. */
const rowCost = 80;
const byteCost = 0.95;

export const triluFamily: OperatorFamily = {
  model: {
    Trilu: {
      shape: likeFirst(),
      lower: sameInputs('Trilu', (node) => ({ upper: intAttribute(node, 'upper', 1) === 1 })),
      types: ['any'],
    },
  },
  program: {
    Trilu: {
      // Which elements stay depends on their place in the last two dimensions.
      rows: keeps((axis, rank) => axis < rank - 2),
      work: ({ outputs, dtypes }) => {
        const elements = elementCount(outputs[0]!);
        const rows = elements / Math.max(1, outputs[0]!.at(-1)!);
        return plainWork(rows * rowCost + elements * dtypeBytes(dtypes[0]!) * byteCost);
      },
    },
  },
};
