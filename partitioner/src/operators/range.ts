import { elementCount } from '@canopy/protocol';
import { sameInputs } from '../graph/lower/same-inputs.js';
import { none } from '../graph/rows/rows.js';
import { add, floorDivide, maximum, multiply } from '../graph/shapes/dim.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

const shape: Rule = (op) => {
  const dtype = op.dtype(0);
  const [start, limit, delta] = [0, 1, 2].map((input) => op.facts(input).values?.[0]);
  if (start === undefined || limit === undefined || typeof delta !== 'number' || delta === 0) {
    return [{ dtype, dims: [op.open(0, 0)] }];
  }
  const span = add(limit, multiply(start, -1));
  const [length, step] = delta > 0 ? [span, delta] : [multiply(span, -1), -delta];
  const count = floorDivide(add(length, step - 1), step);
  const size = maximum(count, 0);
  if (typeof size !== 'number' || size > 1024) return [{ dtype, dims: [size] }];
  const values = Array.from({ length: size }, (_, index) => add(start, index * delta));
  return [{ dtype, dims: [size], values }];
};

export const rangeFamily: OperatorFamily = {
  model: {
    Range: { shape, lower: sameInputs('Range', () => ({})), types: ['float32', 'int64', 'int32'] },
  },
  program: {
    Range: {
      // Its numbers count the rows, or the places along another axis.
      rows: ({ inputs }) => (inputs.every(({ kind }) => kind === 'none') ? none : undefined),
      sizeInputs: [0, 1, 2],
      work: ({ outputs }) => [{ kernel: 'fill', counts: { element: elementCount(outputs[0]!) } }],
    },
  },
};
