import { convShape } from '../convolution.js';
import type { Rule } from '../operation.js';

export const convolution: Record<string, Rule> = {
  ConvInteger: convShape(1, undefined, () => 'int32'),
  QLinearConv: convShape(3, 8, (op) => op.dtype(7)),
  DeformConv: convShape(1, 3, (op) => op.dtype(0)),
};
