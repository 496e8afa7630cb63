import { broadcastSteps, stridedWork } from '../cost/work/strided.js';
import { sameInputs } from '../graph/lower/same-inputs.js';
import { along, none, uniform } from '../graph/rows/rows.js';
import type { RowRule } from '../graph/rows/rule.js';
import { type Dim, product } from '../graph/shapes/dim.js';
import { NotDerivable } from '../graph/shapes/facts.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

/** Target sizes of Expand: a size of the input that is 1 takes the target's, and the other way round. */
const shape: Rule = (op) => {
  const length = op.dims(1)[0];
  if (typeof length !== 'number') throw new NotDerivable('the number of dimensions is computed');
  const rank = Math.max(op.rank(0), length);
  const target = op.facts(1).values;
  const input = op.dims(0);
  const dims = Array.from({ length: rank }, (_, axis) => {
    const own = input[axis - rank + input.length] ?? 1;
    const at = axis - rank + length;
    const wanted = at < 0 ? 1 : target?.[at];
    if (wanted !== undefined) return op.broadcastSizes(own, wanted);
    return typeof own === 'number' && own !== 1 ? own : op.open(0, axis);
  });
  const { dtype, values } = op.facts(0);
  const first = values?.length === 1 ? values[0] : undefined;
  const count = product(dims);
  if (first === undefined || typeof count !== 'number' || count > 1024) return [{ dtype, dims }];
  return [{ dtype, dims, values: Array<Dim>(count).fill(first) }];
};

/** What is repeated to a shape that counts the rows is the same for each of them. */
const rows: RowRule<'Expand'> = ({ first: data, dims, output, rows }) => {
  if (data.kind === 'along') {
    return along(data.axis + output.length - dims(0).length, data.outer, data.inner);
  }
  return uniform(output, rows) ?? none;
};

export const expandFamily: OperatorFamily = {
  model: {
    Expand: { shape, lower: sameInputs('Expand', () => ({})), types: ['any'] },
  },
  program: {
    Expand: {
      rows,
      sizeInputs: [1],
      work: ({ inputs, outputs, dtypes }) =>
        stridedWork(outputs[0]!, broadcastSteps(inputs[0]!, outputs[0]!), dtypes[0]!),
    },
  },
};
