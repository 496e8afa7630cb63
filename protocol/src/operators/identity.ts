import { operator } from './description.js';
import { anyType } from './types.js';

/** X: the same tensor under another name. */
export const identity = operator({
  code: 28,
  name: 'Identity',
  attributes: {},
  inputs: [anyType],
  outputs: [0],
  inPlace: [0],
});
