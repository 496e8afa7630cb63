import { bool, oneOf } from './attribute.js';
import { operator } from './description.js';
import { ReduceKind, reduceTypes } from './reduce.js';
import { indexTypes } from './types.js';

/** Reduce whose axes are computed. X, axes; no axes: all, or none where `noop` is set. */
export const reduceOver = operator({
  code: 39,
  name: 'ReduceOver',
  attributes: { kind: oneOf(ReduceKind), keepDims: bool, noop: bool },
  inputs: [reduceTypes, indexTypes],
  outputs: [0],
});
