import { operator } from './description.js';
import { float32 } from './types.js';

/** X [n,h,w,c] to [n,1,1,c]. */
export const globalAveragePool = operator({
  code: 13,
  name: 'GlobalAveragePool',
  attributes: {},
  inputs: [float32],
  outputs: [0],
});
