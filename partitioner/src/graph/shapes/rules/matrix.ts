import type { Rule } from '../operation.js';

/** A matrix whose weights are packed in few bits: the last dimension becomes N. */
const lastBecomesN: Rule = (op) => [
  { dtype: op.dtype(0), dims: [...op.dims(0).slice(0, -1), op.int('N', 0)] },
];

export const matrix: Record<string, Rule> = {
  'com.microsoft.MatMulBnb4': lastBecomesN,
};
