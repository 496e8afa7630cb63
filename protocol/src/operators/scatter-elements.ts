import { i32, oneOf } from './attribute.js';
import { operator } from './description.js';
import { ScatterReduction } from './scatter.js';
import { anyType, indexTypes } from './types.js';

/** X, indices, updates: X with an update at each index along an axis. */
export const scatterElements = operator({
  code: 106,
  name: 'ScatterElements',
  attributes: { axis: i32, reduction: oneOf(ScatterReduction) },
  inputs: [anyType, indexTypes, anyType],
  outputs: [0],
  inPlace: [0],
});
