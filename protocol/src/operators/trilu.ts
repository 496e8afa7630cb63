import { bool } from './attribute.js';
import { operator } from './description.js';
import { anyType } from './types.js';

/** X, k?: the upper or lower triangle of each matrix from diagonal k on; zeros beside it. */
export const trilu = operator({
  code: 29,
  name: 'Trilu',
  attributes: { upper: bool },
  inputs: [anyType, ['int64']],
  outputs: [0],
  inPlace: [0],
});
