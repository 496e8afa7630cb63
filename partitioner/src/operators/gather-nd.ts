import { dtypeBytes, elementCount } from '@canopy/protocol';
import { plainWork } from '../cost/work/work.js';
import { intAttribute } from '../graph/graph.js';
import { sameInputs } from '../graph/lower/same-inputs.js';
import { none } from '../graph/rows/rows.js';
import { type RowRule, sameRows } from '../graph/rows/rule.js';
import { NotDerivable } from '../graph/shapes/facts.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

const shape: Rule = (op) => {
  const batch = op.int('batch_dims', 0);
  const indices = op.dims(1);
  const depth = indices.at(-1);
  if (typeof depth !== 'number') throw new NotDerivable('the depth of its indices is open');
  const dims = [...indices.slice(0, -1), ...op.dims(0).slice(batch + depth)];
  return [{ dtype: op.dtype(0), dims }];
};

/** Rows of the indices look up a table of their own, or, along a dimension that both have, their own rows. */
const rows: RowRule<'GatherND'> = ({ first: data, inputs: [, indices], attributes, dims }) => {
  const { batchDims } = attributes;
  if (indices?.kind !== 'along') return data.kind === 'along' ? undefined : none;
  if (indices.axis === dims(1).length - 1) return undefined;
  if (data.kind !== 'along') return indices.axis >= batchDims ? indices : undefined;
  return indices.axis < batchDims && sameRows(data, indices) ? data : undefined;
};

export const gatherNdFamily: OperatorFamily = {
  model: {
    GatherND: {
      shape,
      lower: sameInputs('GatherND', (node) => ({ batchDims: intAttribute(node, 'batch_dims', 0) })),
      types: ['any'],
    },
  },
  program: {
    GatherND: {
      rows,
      work: ({ inputs, outputs, dtypes }) => {
        const lists = elementCount(inputs[1]!.slice(0, -1));
        const bytes = elementCount(outputs[0]!) * dtypeBytes(dtypes[0]!);
        return plainWork(lists * (60 + 40 * (inputs[1]!.at(-1) ?? 0)) + bytes / 8);
      },
    },
  },
};
