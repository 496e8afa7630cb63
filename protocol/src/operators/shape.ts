import { i32 } from './attribute.js';
import { operator } from './description.js';
import { anyType } from './types.js';

/** X to i64 [rank]; to the last where `end` is the largest i32. */
export const shape = operator({
  code: 16,
  name: 'Shape',
  attributes: { start: i32, end: i32 },
  inputs: [anyType],
  outputs: ['int64'],
});
