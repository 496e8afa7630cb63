import { operator } from './description.js';
import { anyType, indexTypes } from './types.js';

/** X, axes. */
export const unsqueeze = operator({
  code: 21,
  name: 'Unsqueeze',
  attributes: {},
  inputs: [anyType, indexTypes],
  outputs: [0],
  inPlace: [0],
});
