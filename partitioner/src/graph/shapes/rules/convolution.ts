import { convShape } from '../convolution.js';
import type { Rule } from '../operation.js';

export const convolution: Record<string, Rule> = {
  DeformConv: convShape(1, 3, (op) => op.dtype(0)),
};
