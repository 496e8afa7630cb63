import { dtype } from './attribute.js';
import { operator } from './description.js';
import { anyType } from './types.js';

/** To another element type. */
export const cast = operator({
  code: 7,
  name: 'Cast',
  attributes: { to: dtype },
  inputs: [anyType],
  outputs: [undefined],
  inPlace: [0],
});
