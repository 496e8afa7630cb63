import { u32 } from './attribute.js';
import { operator } from './description.js';
import { anyType } from './types.js';

/** X, lengths: along dimension `time` the first of each batch in reverse; one of the two dimensions is 0, the other 1. */
export const reverseSequence = operator({
  code: 36,
  name: 'ReverseSequence',
  attributes: { time: u32 },
  inputs: [anyType, ['int64']],
  outputs: [0],
});
