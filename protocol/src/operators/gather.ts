import { i32 } from './attribute.js';
import { operator } from './description.js';
import { anyType, indexTypes } from './types.js';

/** X, indices. */
export const gather = operator({
  code: 17,
  name: 'Gather',
  attributes: { axis: i32 },
  inputs: [anyType, indexTypes],
  outputs: [0],
});
