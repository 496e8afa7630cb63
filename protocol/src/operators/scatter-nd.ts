import { oneOf } from './attribute.js';
import { operator } from './description.js';
import { ScatterReduction } from './scatter.js';
import { anyType, indexTypes } from './types.js';

/** X, indices [.., k], updates: X with a block of updates at each list of k indices. */
export const scatterNd = operator({
  code: 107,
  name: 'ScatterND',
  attributes: { reduction: oneOf(ScatterReduction) },
  inputs: [anyType, indexTypes, anyType],
  outputs: [0],
  inPlace: [0],
});
