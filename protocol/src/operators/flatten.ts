import { i32 } from './attribute.js';
import { operator } from './description.js';
import { anyType } from './types.js';

/** X to 2 dimensions: those before the axis, and the others. */
export const flatten = operator({
  code: 22,
  name: 'Flatten',
  attributes: { axis: i32 },
  inputs: [anyType],
  outputs: [0],
  inPlace: [0],
});
