import { operator } from './description.js';
import { anyType, indexTypes } from './types.js';

/** X, repeats: X as often along each dimension as its number says. */
export const tile = operator({
  code: 31,
  name: 'Tile',
  attributes: {},
  inputs: [anyType, indexTypes],
  outputs: [0],
});
