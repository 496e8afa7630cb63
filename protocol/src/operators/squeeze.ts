import { operator } from './description.js';
import { anyType, indexTypes } from './types.js';

/** X, axes? (absent: all of size 1). */
export const squeeze = operator({
  code: 20,
  name: 'Squeeze',
  attributes: {},
  inputs: [anyType, indexTypes],
  outputs: [0],
  inPlace: [0],
});
