import { bool, i32 } from './attribute.js';
import { operator } from './description.js';
import { numbers } from './types.js';

/** X, k: the k largest or smallest elements along an axis, the first choice first; of equal ones the first. Values, indices. */
export const topK = operator({
  code: 41,
  name: 'TopK',
  attributes: { axis: i32, largest: bool },
  inputs: [numbers, ['int64']],
  outputs: [0, 'int64'],
});
