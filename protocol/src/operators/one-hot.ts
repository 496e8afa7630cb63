import { i32 } from './attribute.js';
import { operator } from './description.js';
import { anyType } from './types.js';

/** indices, depth, values [off, on]: a new dimension of size depth, on where its index is the one given. */
export const oneHot = operator({
  code: 35,
  name: 'OneHot',
  attributes: { axis: i32 },
  inputs: [['int64'], ['int64'], anyType],
  outputs: [2],
});
