import { bool } from './attribute.js';
import { operator } from './description.js';
import { indexTypes, numbers } from './types.js';

/** X, axis: sums of all elements up to each along the axis. */
export const cumSum = operator({
  code: 32,
  name: 'CumSum',
  attributes: { exclusive: bool, reverse: bool },
  inputs: [numbers, indexTypes],
  outputs: [0],
});
