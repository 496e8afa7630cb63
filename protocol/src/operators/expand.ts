import { operator } from './description.js';
import { anyType, indexTypes } from './types.js';

/** X, shape: broadcast as numpy does. */
export const expand = operator({
  code: 23,
  name: 'Expand',
  attributes: {},
  inputs: [anyType, indexTypes],
  outputs: [0],
});
