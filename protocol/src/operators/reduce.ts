import type { DTypeName } from '../dtype.js';
import { bool, i32List, oneOf } from './attribute.js';
import { operator } from './description.js';

export const ReduceKind = {
  mean: 0,
  sum: 1,
  max: 2,
  min: 3,
  prod: 4,
  sumSquare: 5,
  l2: 6,
} as const;
export type ReduceName = keyof typeof ReduceKind;

const types: readonly DTypeName[] = ['float32', 'int32', 'int64'];

/** X without some of its axes; no axes: all. Integers: sum, max, min, prod. */
export const reduce = operator({
  code: 10,
  name: 'Reduce',
  attributes: { kind: oneOf(ReduceKind), keepDims: bool, axes: i32List },
  inputs: [types],
  outputs: [0],
});
