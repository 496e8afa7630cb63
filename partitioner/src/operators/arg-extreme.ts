import { elementCount, numbers } from '@canopy/protocol';
import { plainWork } from '../cost/work/work.js';
import { intAttribute } from '../graph/graph.js';
import { sameInputs } from '../graph/lower/same-inputs.js';
import { along } from '../graph/rows/rows.js';
import type { RowRule } from '../graph/rows/rule.js';
import type { Rule } from '../graph/shapes/operation.js';
import { without } from '../graph/shapes/reduced.js';
import type { ModelOperator, OperatorFamily } from './operator.js';

const elementCost = 35;

const shape: Rule = (op) => {
  const axis = op.axis('axis', 0, op.rank(0));
  return [{ dtype: 'int64', dims: without(op, [axis], op.int('keepdims', 1) === 1) }];
};

function extreme(largest: boolean): ModelOperator {
  const lower = sameInputs('ArgExtreme', (node, to) => ({
    axis: to.axis(intAttribute(node, 'axis', 0), to.rank(node.inputs[0]!)),
    largest,
    keepDims: intAttribute(node, 'keepdims', 1) === 1,
    last: intAttribute(node, 'select_last_index', 0) === 1,
  }));
  return { shape, lower, types: numbers };
}

const rows: RowRule<'ArgExtreme'> = ({ first, attributes: { axis, keepDims } }) => {
  if (first.kind !== 'along') return first;
  if (first.axis === axis) return undefined;
  const moved = keepDims || first.axis < axis ? first.axis : first.axis - 1;
  return along(moved, first.outer, first.inner);
};

export const argExtremeFamily: OperatorFamily = {
  model: { ArgMax: extreme(true), ArgMin: extreme(false) },
  program: {
    ArgExtreme: {
      rows,
      work: ({ inputs }) => plainWork(elementCount(inputs[0]!) * elementCost),
    },
  },
};
