import type { DTypeName } from '../dtype.js';
import { bool, oneOf } from './attribute.js';
import { operator } from './description.js';
import { spatialAttributes } from './spatial.js';

/** What becomes of the elements in a window. */
export const PoolKind = {
  max: 0,
  mean: 1,
  /** Padding counts, what lies behind it does not. */
  meanWithPads: 2,
  sum: 3,
} as const;

const types: readonly DTypeName[] = ['float32', 'float64', 'int8', 'uint8'];

/**
 * X [n,c,sizes..] over windows of any number of dimensions. Of `max` the second output, where there is one,
 * is the place of each in X; places count the first dimension of an image fastest with `columnMajor`.
 * Types other than float32: `max` only.
 */
export const spatialPool = operator({
  code: 102,
  name: 'SpatialPool',
  attributes: { kind: oneOf(PoolKind), ceilMode: bool, columnMajor: bool, ...spatialAttributes },
  inputs: [types],
  outputs: [0, 'int64'],
});
