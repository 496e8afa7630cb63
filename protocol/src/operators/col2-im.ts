import { operator } from './description.js';
import { spatialAttributes } from './spatial.js';
import { float32, indexTypes } from './types.js';

/**
 * Columns [n, c * kernel, positions] added up where they lie in images: [n, c, sizes..]. Inputs: columns,
 * sizes, positions of each dimension? (absent: as many as fit), kernel? (absent: that of the window).
 */
export const col2Im = operator({
  code: 101,
  name: 'Col2Im',
  attributes: spatialAttributes,
  inputs: [float32, indexTypes, indexTypes, indexTypes],
  outputs: [0],
});
