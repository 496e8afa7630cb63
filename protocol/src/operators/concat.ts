import { i32 } from './attribute.js';
import { operator } from './description.js';
import { anyType } from './types.js';

/** All inputs, one behind the other along an axis. */
export const concat = operator({
  code: 19,
  name: 'Concat',
  attributes: { axis: i32 },
  inputs: [anyType],
  variadic: true,
  outputs: [0],
});
