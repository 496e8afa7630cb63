import { elementCount, numbers, type OpAttributes } from '@canopy/protocol';
import { plainWork } from '../cost/work/work.js';
import { type GraphNode, intAttribute } from '../graph/graph.js';
import { sameInputs } from '../graph/lower/same-inputs.js';
import type { RowRule } from '../graph/rows/rule.js';
import { fromFront } from '../graph/shapes/facts.js';
import { likeFirst } from '../graph/shapes/operation.js';
import type { OperatorFamily, ProgramOperator } from './operator.js';

const elementCost = 40;

const rows: RowRule<'CumProd' | 'CumSum'> = ({ first: data, elements, dims }) => {
  if (data.kind !== 'along') return data;
  const axis = elements(1)?.[0];
  if (typeof axis !== 'number') return undefined;
  return fromFront(axis, dims(0).length) === data.axis ? undefined : data;
};

function attributes(node: GraphNode): OpAttributes['CumSum'] {
  return {
    exclusive: intAttribute(node, 'exclusive', 0) === 1,
    reverse: intAttribute(node, 'reverse', 0) === 1,
  };
}

const program: ProgramOperator<'CumProd' | 'CumSum'> = {
  rows,
  sizeInputs: [1],
  work: ({ outputs }) => plainWork(elementCount(outputs[0]!) * elementCost),
};

export const cumSumFamily: OperatorFamily = {
  model: {
    CumProd: { shape: likeFirst(), lower: sameInputs('CumProd', attributes), types: numbers },
    CumSum: { shape: likeFirst(), lower: sameInputs('CumSum', attributes), types: numbers },
  },
  program: { CumProd: program, CumSum: program },
};
