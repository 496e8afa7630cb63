import { elementCount, numbers } from '@canopy/protocol';
import { plainWork } from '../cost/work/work.js';
import { intAttribute } from '../graph/graph.js';
import { sameInputs } from '../graph/lower/same-inputs.js';
import type { RowRule } from '../graph/rows/rule.js';
import { fromFront } from '../graph/shapes/facts.js';
import { likeFirst } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

const elementCost = 40;

const rows: RowRule<'CumSum'> = ({ first: data, elements, dims }) => {
  if (data.kind !== 'along') return data;
  const axis = elements(1)?.[0];
  if (typeof axis !== 'number') return undefined;
  return fromFront(axis, dims(0).length) === data.axis ? undefined : data;
};

export const cumSumFamily: OperatorFamily = {
  model: {
    CumSum: {
      shape: likeFirst(),
      lower: sameInputs('CumSum', (node) => ({
        exclusive: intAttribute(node, 'exclusive', 0) === 1,
        reverse: intAttribute(node, 'reverse', 0) === 1,
      })),
      types: numbers,
    },
  },
  program: {
    CumSum: {
      rows,
      sizeInputs: [1],
      work: ({ outputs }) => plainWork(elementCount(outputs[0]!) * elementCost),
    },
  },
};
