import type { DTypeName } from '@canopy/protocol';
import { rulesFor, type Rule } from '../operation.js';
import { productDims } from '../product.js';

/** Products of two inputs, the second at `right`. */
function matMul(right: number, dtype?: DTypeName): Rule {
  return (op) => [
    { dtype: dtype ?? op.dtype(0), dims: productDims(op, op.dims(0), op.dims(right)) },
  ];
}

/** A matrix whose weights are packed in few bits: the last dimension becomes N. */
const lastBecomesN: Rule = (op) => [
  { dtype: op.dtype(0), dims: [...op.dims(0).slice(0, -1), op.int('N', 0)] },
];

export const matrix: Record<string, Rule> = {
  MatMulInteger: matMul(1, 'int32'),
  QLinearMatMul: (op) => [{ dtype: op.dtype(7), dims: productDims(op, op.dims(0), op.dims(3)) }],
  'com.microsoft.MatMulIntegerToFloat': matMul(1, 'float32'),
  'com.microsoft.DynamicQuantizeMatMul': matMul(1, 'float32'),
  ...rulesFor(lastBecomesN, 'com.microsoft.MatMulNBits', 'com.microsoft.MatMulBnb4'),
  Det: (op) => [{ dtype: op.dtype(0), dims: op.dims(0).slice(0, -2) }],
};
