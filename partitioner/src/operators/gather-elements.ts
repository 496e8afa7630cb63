import { elementCount } from '@canopy/protocol';
import { plainWork } from '../cost/work/work.js';
import { intAttribute } from '../graph/graph.js';
import { sameInputs } from '../graph/lower/same-inputs.js';
import { none } from '../graph/rows/rows.js';
import { type RowRule, sameRows } from '../graph/rows/rule.js';
import type { OperatorFamily } from './operator.js';

/**
 * Indices beside the axis count the same places of data and indices: rows stay apart where both have them
 * there, or along the axis itself where all rows look up one table.
 */
const rows: RowRule<'GatherElements'> = ({ first: data, inputs: [, indices], attributes }) => {
  const { axis } = attributes;
  if (indices?.kind !== 'along') return data.kind === 'along' ? undefined : none;
  if (data.kind !== 'along') return indices.axis === axis ? indices : undefined;
  return data.axis !== axis && sameRows(data, indices) ? data : undefined;
};

export const gatherElementsFamily: OperatorFamily = {
  model: {
    GatherElements: {
      shape: (op) => [{ dtype: op.dtype(0), dims: op.dims(1) }],
      lower: sameInputs('GatherElements', (node, to) => ({
        axis: to.axis(intAttribute(node, 'axis', 0), to.rank(node.inputs[0]!)),
      })),
      types: ['any'],
    },
  },
  program: {
    GatherElements: {
      rows,
      work: ({ outputs }) => {
        const count = elementCount(outputs[0]!);
        return plainWork(count * 32 + (count / Math.max(1, outputs[0]!.at(-1) ?? 1)) * 120);
      },
    },
  },
};
