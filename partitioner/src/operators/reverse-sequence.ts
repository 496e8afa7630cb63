import { dtypeBytes, elementCount } from '@canopy/protocol';
import { copyWork } from '../cost/work/strided.js';
import { intAttribute } from '../graph/graph.js';
import { sameInputs } from '../graph/lower/same-inputs.js';
import type { RowRule } from '../graph/rows/rule.js';
import { likeFirst } from '../graph/shapes/operation.js';
import { same } from '../graph/shapes/dim.js';
import type { OperatorFamily } from './operator.js';

/** Each of the batch has a length of its own. */
const rows: RowRule<'ReverseSequence'> = ({ first, inputs: [, lengths], attributes: { time } }) => {
  if (first.kind !== 'along') return lengths?.kind === 'none' ? first : undefined;
  if (first.axis > 1) return lengths?.kind === 'none' ? first : undefined;
  if (first.axis === time || lengths?.kind !== 'along') return undefined;
  const alike = same(first.outer, lengths.outer) && same(first.inner, lengths.inner);
  return alike ? first : undefined;
};

export const reverseSequenceFamily: OperatorFamily = {
  model: {
    ReverseSequence: {
      shape: likeFirst(),
      lower: sameInputs('ReverseSequence', (node) => ({
        time: intAttribute(node, 'time_axis', 0),
      })),
      types: ['any'],
    },
  },
  program: {
    ReverseSequence: {
      rows,
      work: ({ inputs, dtypes }) => {
        const [first = 1, second = 1, ...rest] = inputs[0]!;
        return copyWork('gather', first * second, elementCount(rest) * dtypeBytes(dtypes[0]!));
      },
    },
  },
};
