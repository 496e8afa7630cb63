import { bool, i32 } from './attribute.js';
import { operator } from './description.js';
import { numbers } from './types.js';

/** Index of the largest or smallest element along an axis; of equal ones the first, or the last. */
export const argExtreme = operator({
  code: 40,
  name: 'ArgExtreme',
  attributes: { axis: i32, largest: bool, keepDims: bool, last: bool },
  inputs: [numbers],
  outputs: ['int64'],
});
