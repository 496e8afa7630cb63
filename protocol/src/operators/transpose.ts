import { i32Rest } from './attribute.js';
import { operator } from './description.js';
import { anyType } from './types.js';

/** Dimension i of the result is dimension permutation[i] of X. */
export const transpose = operator({
  code: 14,
  name: 'Transpose',
  attributes: { permutation: i32Rest },
  inputs: [anyType],
  outputs: [0],
});
