import { dtypeBytes } from '@canopy/protocol';
import { around, copyWork } from '../cost/work/strided.js';
import type { Work } from '../cost/work/work.js';
import { intAttribute } from '../graph/graph.js';
import { sameInputs } from '../graph/lower/same-inputs.js';
import { none } from '../graph/rows/rows.js';
import { type RowRule, sameRows } from '../graph/rows/rule.js';
import { sum } from '../graph/shapes/dim.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

const shape: Rule = (op) => {
  const parts = op.node.inputs.map((_, input) => op.facts(input));
  const axis = op.axis('axis', 0, op.rank(0));
  const dims = op.dims(0).with(axis, sum(parts.map((part) => part.dims[axis]!)));
  for (const part of parts) {
    part.dims.forEach((dim, at) => {
      if (at !== axis) op.requireSame(dim, dims[at]!);
    });
  }
  const listed = dims.length === 1 && parts.some(({ values }) => values);
  if (!listed || !parts.every((part) => typeof part.dims[0] === 'number')) {
    return [{ dtype: op.dtype(0), dims }];
  }
  const values = parts.flatMap(
    (part) => part.values ?? Array<undefined>(part.dims[0] as number).fill(undefined),
  );
  return [{ dtype: op.dtype(0), dims, values }];
};

const rows: RowRule<'Concat'> = ({ inputs, first, attributes }) => {
  if (inputs.every(({ kind }) => kind === 'none')) return none;
  if (first.kind !== 'along' || first.axis === attributes.axis) return undefined;
  const alike = inputs.every((rows) => rows.kind === 'along' && sameRows(rows, first));
  return alike ? first : undefined;
};

export const concatFamily: OperatorFamily = {
  model: {
    Concat: {
      shape,
      lower: sameInputs('Concat', (node, to) => ({
        axis: to.axis(intAttribute(node, 'axis', 0), to.rank(node.inputs[0]!)),
      })),
      types: ['any'],
    },
  },
  program: {
    Concat: {
      rows,
      work: ({ attributes, inputs, dtypes }) =>
        inputs.flatMap((dims) => {
          const [outer, size, inner] = around(dims, attributes.axis);
          const part: Work = { kernel: 'concat', counts: { part: 1 } };
          return [part, ...copyWork('concat', outer, size * inner * dtypeBytes(dtypes[0]!))];
        }),
    },
  },
};
