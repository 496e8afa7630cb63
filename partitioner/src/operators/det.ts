import { elementCount } from '@canopy/protocol';
import { plainWork } from '../cost/work/work.js';
import { sameInputs } from '../graph/lower/same-inputs.js';
import { keeps } from '../graph/rows/rule.js';
import type { OperatorFamily } from './operator.js';

export const detFamily: OperatorFamily = {
  model: {
    Det: {
      shape: (op) => {
        op.requireSame(op.dims(0).at(-1)!, op.dims(0).at(-2)!);
        return [{ dtype: op.dtype(0), dims: op.dims(0).slice(0, -2) }];
      },
      lower: sameInputs('Det', () => ({})),
      types: ['float32'],
    },
  },
  program: {
    Det: {
      rows: keeps((axis, rank) => axis < rank - 2),
      work: ({ inputs, outputs }) => {
        const n = inputs[0]!.at(-1) ?? 0;
        return plainWork(elementCount(outputs[0]!) * (270 + n * n * 35 + 2.72 * n ** 3));
      },
      temporaries: ({ inputs }) => [Math.max(64, 4 * (inputs[0]!.at(-1) ?? 0) ** 2)],
    },
  },
};
