import { dtypeBytes, elementCount } from '@canopy/protocol';
import { plainWork } from '../cost/work/work.js';
import { intAttribute, type GraphNode } from '../graph/graph.js';
import type { Lowering } from '../graph/lower/lowering.js';
import type { RowRule } from '../graph/rows/rule.js';
import { along } from '../graph/rows/rows.js';
import { fromFront } from '../graph/shapes/facts.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

/** Instructions of an index, and of a byte that is filled. */
const indexCost = 50;
const byteCost = 0.3;

const shape: Rule = (op) => {
  const rank = op.rank(0) + 1;
  const axis = fromFront(op.int('axis', -1), rank);
  const dims = [...op.dims(0)];
  dims.splice(axis, 0, op.facts(1).values?.[0] ?? op.open(0, axis));
  return [{ dtype: op.dtype(2), dims }];
};

/** Indices and depth may be of any type of numbers. */
function lower(node: GraphNode, to: Lowering): void {
  const [indices, depth, values] = node.inputs as [string, string, string];
  const inputs = [to.asInt64(node, indices), to.asInt64(node, depth), values];
  const axis = fromFront(intAttribute(node, 'axis', -1), to.rank(indices) + 1);
  to.add('OneHot', node, inputs, [node.outputs[0]!], { axis });
}

const rows: RowRule<'OneHot'> = ({ first, inputs: [, depth, values], attributes: { axis } }) => {
  if (depth?.kind !== 'none' || values?.kind !== 'none') return undefined;
  if (first.kind !== 'along') return first;
  return along(first.axis < axis ? first.axis : first.axis + 1, first.outer, first.inner);
};

export const oneHotFamily: OperatorFamily = {
  model: { OneHot: { shape, lower, types: ['any'] } },
  program: {
    OneHot: {
      rows,
      work: ({ inputs, outputs, dtypes }) => {
        const bytes = elementCount(outputs[0]!) * dtypeBytes(dtypes[2]!);
        return plainWork(elementCount(inputs[0]!) * indexCost + bytes * byteCost);
      },
    },
  },
};
