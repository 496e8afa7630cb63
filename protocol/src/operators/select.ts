import { operator } from './description.js';
import { anyType, bools } from './types.js';

/** Condition of one element, X, Y: X where it is true, else Y. The other may be absent, as {@link branch} leaves it. */
export const select = operator({
  code: 44,
  name: 'Select',
  attributes: {},
  inputs: [bools, anyType, anyType],
  outputs: [1],
  inPlace: [1, 2],
});
