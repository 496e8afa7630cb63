import { dtypeBytes, elementCount } from '@canopy/protocol';
import { broadcastWalk } from '../cost/work/strided.js';
import { sameInputs } from '../graph/lower/same-inputs.js';
import { broadcastRows } from '../graph/rows/rule.js';
import type { Dim } from '../graph/shapes/dim.js';
import { mostValues, placeIn } from '../graph/shapes/elements.js';
import { type Facts } from '../graph/shapes/facts.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

const where: Rule = (op) => {
  const dims = op.broadcast(0, 1, 2);
  const choose = (place: number): Dim | undefined => {
    const at = (input: number): Dim | undefined => {
      const facts = op.facts(input);
      return facts.values?.[placeIn(facts, dims as number[], place)];
    };
    const condition = at(0);
    return condition === undefined ? undefined : at(condition === 0 ? 2 : 1);
  };
  const facts: Facts = { dtype: op.dtype(1), dims };
  if (!op.facts(0).values || !dims.every((dim) => typeof dim === 'number')) return [facts];
  const count = dims.reduce((total, size) => total * size, 1);
  if (count > mostValues) return [facts];
  return [{ ...facts, values: Array.from({ length: count }, (_, place) => choose(place)) }];
};

export const whereFamily: OperatorFamily = {
  model: {
    Where: { shape: where, lower: sameInputs('Where', () => ({})), types: ['any'] },
  },
  program: {
    Where: {
      rows: broadcastRows,
      work: ({ inputs, outputs, dtypes }) => {
        const elements = elementCount(outputs[0]!);
        const { size, steps } = broadcastWalk(outputs[0]!, inputs).at(-1)!;
        const counts = { element: elements, row: elements / Math.max(1, size) };
        const isWords = steps[0] === 1 && dtypeBytes(dtypes[1] ?? 'float32') === 4;
        return [{ kernel: isWords ? 'where.words' : 'where', counts }];
      },
    },
  },
};
