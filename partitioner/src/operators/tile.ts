import { elementCount, dtypeBytes } from '@canopy/protocol';
import { copyWork } from '../cost/work/strided.js';
import { sameInputs } from '../graph/lower/same-inputs.js';
import type { RowRule } from '../graph/rows/rule.js';
import { uniform } from '../graph/rows/rows.js';
import { multiply } from '../graph/shapes/dim.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

const shape: Rule = (op) => {
  const repeats = op.facts(1).values;
  const dims = op.dims(0).map((dim, axis) => {
    const times = repeats?.[axis];
    return times === undefined ? op.open(0, axis) : multiply(dim, times);
  });
  return [{ dtype: op.dtype(0), dims }];
};

/** What is repeated as often as there are rows is the same for each of them. */
const rows: RowRule<'Tile'> = ({ first: data, elements, output, rows }) => {
  if (data.kind === 'along') return elements(1)?.[data.axis] === 1 ? data : undefined;
  return data.kind === 'none' ? (uniform(output, rows) ?? data) : undefined;
};

export const tileFamily: OperatorFamily = {
  model: { Tile: { shape, lower: sameInputs('Tile', () => ({})), types: ['any'] } },
  program: {
    Tile: {
      rows,
      sizeInputs: [1],
      work: ({ outputs, dtypes }) => {
        const [output] = outputs as [readonly number[]];
        const lines = elementCount(output.slice(0, -1));
        return copyWork('strided', lines, (output.at(-1) ?? 1) * dtypeBytes(dtypes[0]!));
      },
    },
  },
};
