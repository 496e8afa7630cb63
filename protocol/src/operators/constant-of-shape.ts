import { bits64, dtype } from './attribute.js';
import { operator } from './description.js';
import { indexTypes } from './types.js';

/** shape; every element has the bits of `value`. */
export const constantOfShape = operator({
  code: 25,
  name: 'ConstantOfShape',
  attributes: { dtype, value: bits64 },
  inputs: [indexTypes],
  outputs: [undefined],
});
