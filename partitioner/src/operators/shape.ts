import { intAttribute } from '../graph/graph.js';
import { sameInputs } from '../graph/lower/same-inputs.js';
import { none } from '../graph/rows/rows.js';
import type { Dim } from '../graph/shapes/dim.js';
import type { Facts } from '../graph/shapes/facts.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

const toTheLast = 0x7fffffff;

/** A list of known numbers. */
function listOf(values: readonly (Dim | undefined)[]): Facts {
  return { dtype: 'int64', dims: [values.length], values };
}

const shapeRule: Rule = (op) => {
  const dims = op.dims(0);
  return [listOf(dims.slice(op.int('start', 0), op.int('end', dims.length)))];
};

export const shapeFamily: OperatorFamily = {
  model: {
    Shape: {
      shape: shapeRule,
      lower: sameInputs('Shape', (node) => ({
        start: intAttribute(node, 'start', 0),
        end: intAttribute(node, 'end', toTheLast),
      })),
      types: ['any'],
    },
  },
  program: {
    Shape: {
      rows: ({ dims, attributes, counts }) => {
        const { start, end } = attributes;
        return dims(0).slice(start, end).some(counts) ? { kind: 'count' } : none;
      },
      work: () => [],
    },
  },
};
