import { dtype } from './attribute.js';
import { operator } from './description.js';
import { anyType } from './types.js';

/** X: the same bits as elements of another type that take as many bytes. */
export const bitCast = operator({
  code: 71,
  name: 'BitCast',
  attributes: { to: dtype },
  inputs: [anyType],
  outputs: [undefined],
  inPlace: [0],
});
