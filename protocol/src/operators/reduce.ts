import type { DTypeName } from '../dtype.js';
import { bool, i32List, oneOf } from './attribute.js';
import { operator } from './description.js';
import { numbers } from './types.js';

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

export const reduceTypes: readonly DTypeName[] = [...numbers, 'bool'];

/** X without some of its axes; no axes: all. bool: max, min. l2: f32, f64. */
export const reduce = operator({
  code: 10,
  name: 'Reduce',
  attributes: { kind: oneOf(ReduceKind), keepDims: bool, axes: i32List },
  inputs: [reduceTypes],
  outputs: [0],
});
