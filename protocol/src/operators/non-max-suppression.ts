import { bool } from './attribute.js';
import { operator } from './description.js';
import { float32, indexTypes } from './types.js';

/**
 * Boxes [n, count, 4], scores [n, classes, count], most boxes of a class?, overlap?, score?: image, class and
 * box of each that is chosen, [chosen, 3]. Boxes are two corners, or `centred` with their sizes.
 */
export const nonMaxSuppression = operator({
  code: 108,
  name: 'NonMaxSuppression',
  attributes: { centred: bool },
  inputs: [float32, float32, indexTypes, float32, float32],
  outputs: ['int64'],
});
