import { dtypeBytes, elementCount } from '@canopy/protocol';
import { around, copyWork } from '../cost/work/strided.js';
import { intAttribute } from '../graph/graph.js';
import { sameInputs } from '../graph/lower/same-inputs.js';
import { along, none } from '../graph/rows/rows.js';
import type { RowRule } from '../graph/rows/rule.js';
import { fromFront } from '../graph/shapes/facts.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

const shape: Rule = (op) => {
  const data = op.facts(0);
  const axis = op.axis('axis', 0, data.dims.length);
  const indices = op.facts(1);
  const dims = [...data.dims.slice(0, axis), ...indices.dims, ...data.dims.slice(axis + 1)];
  if (!data.values || data.dims.length !== 1 || !indices.values) {
    return [{ dtype: data.dtype, dims }];
  }
  const list = data.values;
  const values = indices.values.map((index) =>
    typeof index === 'number' ? list[fromFront(index, list.length)] : undefined,
  );
  return [{ dtype: data.dtype, dims, values }];
};

/** Rows of the indices look up a table of their own; rows of the table stay outside of what is looked up. */
const rows: RowRule<'Gather'> = ({ first: data, inputs: [, indices], dims, attributes }) => {
  const { axis } = attributes;
  if (data.kind === 'along' && indices?.kind === 'along') return undefined;
  if (indices?.kind === 'along') {
    return along(axis + indices.axis, indices.outer, indices.inner);
  }
  if (data.kind !== 'along') return none;
  if (data.axis === axis) return undefined;
  const moved = data.axis < axis ? data.axis : data.axis + dims(1).length - 1;
  return along(moved, data.outer, data.inner);
};

export const gatherFamily: OperatorFamily = {
  model: {
    Gather: {
      shape,
      lower: sameInputs('Gather', (node, to) => ({
        axis: to.axis(intAttribute(node, 'axis', 0), to.rank(node.inputs[0]!)),
      })),
      types: ['any'],
    },
  },
  program: {
    Gather: {
      rows,
      work: ({ attributes, inputs, dtypes }) => {
        const [outer, , inner] = around(inputs[0]!, attributes.axis);
        const indices = outer * elementCount(inputs[1]!);
        const bytes = inner * dtypeBytes(dtypes[0]!);
        const single = bytes === 4 || bytes === 8;
        return single
          ? [{ kernel: 'rows.gatherOne', counts: { row: indices } }]
          : copyWork('gather', indices, bytes);
      },
    },
  },
};
