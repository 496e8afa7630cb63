import { dtypeBytes, elementCount } from '@canopy/protocol';
import { renamedWork } from '../cost/work/strided.js';
import { selectOperator, type GraphNode } from '../graph/graph.js';
import { type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import { none } from '../graph/rows/rows.js';
import { type RowRule, sameRows } from '../graph/rows/rule.js';
import { same } from '../graph/shapes/dim.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

/** Sizes in which both values agree are known. */
const shape: Rule = (op) => {
  const [yes, no] = [op.facts(1), op.facts(2)];
  if (yes.dims.length !== no.dims.length) return [yes];
  const dims = yes.dims.map((dim, axis) => (same(dim, no.dims[axis]!) ? dim : op.open(0, axis)));
  return [{ dtype: yes.dtype, dims }];
};

function lower(node: GraphNode, to: Lowering): void {
  const [condition, yes, no] = node.inputs as [string, string, string];
  const text = (name: string): string => `${to.dtype(name)} of ${to.rank(name)} dimensions`;
  if (to.dtype(yes) !== to.dtype(no) || to.rank(yes) !== to.rank(no)) {
    throw new UnsupportedNode(
      `is ${text(yes)} or ${text(no)}, and which only shows when it runs`,
      'give an input that decides it a fixed value, or export with results of one type and rank',
    );
  }
  to.add('Select', node, [condition, yes, no], [node.outputs[0]!], {});
}

/** Where the condition does not depend on rows, those of either value. */
const rows: RowRule<'Select'> = ({ inputs }) => {
  const [condition = none, yes = none, no = none] = inputs;
  if (condition.kind !== 'none') return undefined;
  if (yes.kind === 'none' && no.kind === 'none') return none;
  return yes.kind === 'along' && no.kind === 'along' && sameRows(yes, no) ? yes : undefined;
};

export const selectFamily: OperatorFamily = {
  model: {
    [selectOperator]: {
      shape,
      lower,
      types: ['any'],
      limits: 'made of an If whose condition is computed: results of one type and rank',
    },
  },
  program: {
    Select: {
      rows,
      work: ({ outputs, dtypes }, inPlace) =>
        renamedWork(elementCount(outputs[0]!) * dtypeBytes(dtypes[1]!), inPlace),
    },
  },
};
