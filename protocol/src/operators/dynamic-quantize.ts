import { operator } from './description.js';
import { float32 } from './types.js';

/** X to its integers, their scale and zero point, which cover all of X and 0. */
export const dynamicQuantize = operator({
  code: 62,
  name: 'DynamicQuantize',
  attributes: {},
  inputs: [float32],
  outputs: ['uint8', 'float32', 'uint8'],
});
