import { DType, type DTypeName } from '../dtype.js';

/** Element types that operators take, as descriptions name them. */
export const float32: readonly DTypeName[] = ['float32'];
export const bools: readonly DTypeName[] = ['bool'];
/** Every type: of operators that move elements and do not look at them. */
export const anyType = Object.keys(DType) as readonly DTypeName[];
export const integers: readonly DTypeName[] = [
  ...(['int8', 'uint8', 'int16', 'uint16'] as const),
  ...(['int32', 'uint32', 'int64', 'uint64'] as const),
];
/** Types that are computed with as they are stored: not float16 and bfloat16. */
export const numbers: readonly DTypeName[] = ['float32', 'float64', ...integers];
/** Sizes, bounds, axes and places. */
export const indexTypes: readonly DTypeName[] = ['int64', 'int32'];
/** What Quantize gives. */
export const quantizedTypes: readonly DTypeName[] = ['int8', 'uint8', 'int16', 'uint16'];
/** Integers that are multiplied. */
export const bytes: readonly DTypeName[] = ['int8', 'uint8'];
