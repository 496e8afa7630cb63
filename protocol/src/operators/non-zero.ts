import { operator } from './description.js';
import { anyType } from './types.js';

/** Places of the elements of X that are not 0, as [rank, count]. */
export const nonZero = operator({
  code: 34,
  name: 'NonZero',
  attributes: {},
  inputs: [anyType],
  outputs: ['int64'],
});
