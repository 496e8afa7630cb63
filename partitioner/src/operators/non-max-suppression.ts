import { elementCount } from '@canopy/protocol';
import { plainWork } from '../cost/work/work.js';
import { intAttribute } from '../graph/graph.js';
import { sameInputs } from '../graph/lower/same-inputs.js';
import { none } from '../graph/rows/rows.js';
import type { OperatorFamily } from './operator.js';

export const nonMaxSuppressionFamily: OperatorFamily = {
  model: {
    NonMaxSuppression: {
      shape: (op) => [{ dtype: 'int64', dims: [op.open(0, 0), 3] }],
      lower: sameInputs('NonMaxSuppression', (node) => ({
        centred: intAttribute(node, 'center_point_box', 0) === 1,
      })),
      types: ['float32'],
    },
  },
  program: {
    NonMaxSuppression: {
      rows: ({ inputs }) => (inputs.some(({ kind }) => kind === 'along') ? undefined : none),
      sizeInputs: [2],
      work: ({ inputs, outputs }) => {
        const [images = 1, classes = 1, count = 1] = inputs[1]!;
        const groups = images * classes;
        const chosen = outputs[0]![0]!;
        const compared = groups === 0 ? 0 : (chosen * chosen) / groups;
        return plainWork(elementCount(inputs[1]!) * 40 + compared * 60 + groups * count * 10);
      },
      temporaries: ({ inputs }) => {
        const [images = 1, classes = 1, count = 1] = inputs[1]!;
        return [count * 4, images * classes * count * 24];
      },
    },
  },
};
