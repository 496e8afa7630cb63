import { bool } from './attribute.js';
import { operator } from './description.js';
import { indexTypes, numbers } from './types.js';

/** X, axis: products of all elements up to each along the axis. */
export const cumProd = operator({
  code: 72,
  name: 'CumProd',
  attributes: { exclusive: bool, reverse: bool },
  inputs: [numbers, indexTypes],
  outputs: [0],
});
