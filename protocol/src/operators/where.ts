import { operator } from './description.js';
import { anyType, bools } from './types.js';

/** condition, X, Y, broadcast as numpy does. */
export const where = operator({
  code: 24,
  name: 'Where',
  attributes: {},
  inputs: [bools, anyType, anyType],
  outputs: [1],
});
