import { operator } from './description.js';
import { anyType, indexTypes } from './types.js';

/** X, starts, ends, axes?, steps? */
export const slice = operator({
  code: 18,
  name: 'Slice',
  attributes: {},
  inputs: [anyType, indexTypes, indexTypes, indexTypes, indexTypes],
  outputs: [0],
});
