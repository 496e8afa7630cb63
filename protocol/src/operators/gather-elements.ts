import { i32 } from './attribute.js';
import { operator } from './description.js';
import { anyType, indexTypes } from './types.js';

/** X, indices of X's rank: the element at each index along an axis. */
export const gatherElements = operator({
  code: 104,
  name: 'GatherElements',
  attributes: { axis: i32 },
  inputs: [anyType, indexTypes],
  outputs: [0],
});
