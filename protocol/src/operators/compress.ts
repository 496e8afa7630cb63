import { bool, i32 } from './attribute.js';
import { operator } from './description.js';
import { anyType, bools } from './types.js';

/** X, condition: the parts along the axis of which the condition is true; `flat`: of X as a list. */
export const compress = operator({
  code: 33,
  name: 'Compress',
  attributes: { axis: i32, flat: bool },
  inputs: [anyType, bools],
  outputs: [0],
});
