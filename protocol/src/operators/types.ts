import { DType, type DTypeName } from '../dtype.js';

/** Element types that operators take, as descriptions name them. */
export const float32: readonly DTypeName[] = ['float32'];
export const bools: readonly DTypeName[] = ['bool'];
/** Every type: of operators that move elements and do not look at them. */
export const anyType = Object.keys(DType) as readonly DTypeName[];
/** Sizes, bounds, axes and places. */
export const indexTypes: readonly DTypeName[] = ['int64', 'int32'];
