import {
  dtypeBytes,
  elementCount,
  type OpAttributes,
  ScatterReduction,
  type ScatterReductionName,
  scatterTypes,
} from '@canopy/protocol';
import { renamedWork } from '../cost/work/strided.js';
import { plainWork, type Work } from '../cost/work/work.js';
import { type GraphNode, intAttribute, stringAttribute } from '../graph/graph.js';
import { type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import { type Along, none } from '../graph/rows/rows.js';
import { type RowRule, sameRows } from '../graph/rows/rule.js';
import { likeFirst } from '../graph/shapes/operation.js';
import type { ModelOperator, NodeAt, OperatorFamily } from './operator.js';

function reductionOf(node: GraphNode, to: Lowering): ScatterReductionName {
  const reduction = stringAttribute(node, 'reduction', 'none');
  if (!Object.hasOwn(ScatterReduction, reduction)) {
    throw new UnsupportedNode(
      `has the reduction ${reduction}`,
      `use ${Object.keys(ScatterReduction).join(', ')}`,
    );
  }
  if (reduction !== 'none') to.requireType(node.inputs[0]!, ...scatterTypes);
  return reduction as ScatterReductionName;
}

const scatterElements: ModelOperator = {
  shape: likeFirst(),
  lower: (node, to) => {
    const attributes: OpAttributes['ScatterElements'] = {
      axis: to.axis(intAttribute(node, 'axis', 0), to.rank(node.inputs[0]!)),
      reduction: reductionOf(node, to),
    };
    to.add('ScatterElements', node, node.inputs.slice(0, 3), [node.outputs[0]!], attributes);
  },
  types: ['any'],
};

const scatterNd: ModelOperator = {
  shape: likeFirst(),
  lower: (node, to) => {
    const reduction = reductionOf(node, to);
    to.add('ScatterND', node, node.inputs.slice(0, 3), [node.outputs[0]!], { reduction });
  },
  types: ['any'],
};

/** Rows stay apart where data, indices and updates all have them in the same place beside the axis. */
const elementRows: RowRule<'ScatterElements'> = ({ inputs, attributes }) => {
  const found = inputs.filter((rows): rows is Along => rows.kind === 'along');
  const [first] = found;
  if (!first) return none;
  const all = found.length === 3 && found.every((rows) => sameRows(rows, first));
  return all && first.axis !== attributes.axis ? first : undefined;
};

function work(
  { inputs, dtypes }: NodeAt<'ScatterElements' | 'ScatterND'>,
  inPlace: boolean,
  updates: number,
): Work[] {
  const copied = elementCount(inputs[0]!) * dtypeBytes(dtypes[0]!);
  return [...renamedWork(copied, inPlace), ...plainWork(updates)];
}

export const scatterFamily: OperatorFamily = {
  model: { Scatter: scatterElements, ScatterElements: scatterElements, ScatterND: scatterNd },
  program: {
    ScatterElements: {
      rows: elementRows,
      work: (node, inPlace) => {
        const updates = elementCount(node.inputs[2]!);
        const each = node.attributes.reduction === 'none' ? 38 : 55;
        return work(node, inPlace, updates * each);
      },
    },
    ScatterND: {
      rows: ({ inputs }) => (inputs.some(({ kind }) => kind === 'along') ? undefined : none),
      work: (node, inPlace) => {
        const [, indices, updates] = node.inputs as [never, readonly number[], readonly number[]];
        const lists = elementCount(indices.slice(0, -1));
        const count = elementCount(updates);
        const each = node.attributes.reduction === 'none' ? 0.8 : 40;
        return work(node, inPlace, lists * (90 + 40 * (indices.at(-1) ?? 0)) + count * each);
      },
    },
  },
};
