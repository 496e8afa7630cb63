import { bool } from './attribute.js';
import { operator } from './description.js';
import { anyType, indexTypes } from './types.js';

/** X, shape. */
export const reshape = operator({
  code: 15,
  name: 'Reshape',
  attributes: { allowZero: bool },
  inputs: [anyType, indexTypes],
  outputs: [0],
  inPlace: [0],
});
