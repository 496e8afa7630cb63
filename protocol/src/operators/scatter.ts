import type { DTypeName } from '../dtype.js';
import { anyType } from './types.js';

/** What becomes of an element that an update meets. */
export const ScatterReduction = { none: 0, add: 1, mul: 2, max: 3, min: 4 } as const;
export type ScatterReductionName = keyof typeof ScatterReduction;

/** Types of reductions other than none. */
export const scatterTypes: readonly DTypeName[] = anyType.filter(
  (type) => type !== 'float16' && type !== 'bfloat16',
);
