import { u32 } from './attribute.js';
import { operator } from './description.js';
import { anyType, indexTypes } from './types.js';

/** X, indices [.., k]: the block at each list of k indices, behind dimensions that both have. */
export const gatherNd = operator({
  code: 105,
  name: 'GatherND',
  attributes: { batchDims: u32 },
  inputs: [anyType, indexTypes],
  outputs: [0],
});
