import { u32 } from './attribute.js';
import { operator } from './description.js';
import { spatialAttributes } from './spatial.js';
import { float32 } from './types.js';

/**
 * X [n,c,sizes..] to what each window covers, a column each: [n, group, c/group * kernel, positions]. The
 * second output is [n, outChannels, positions of each dimension], the shape of a convolution's result.
 */
export const im2Col = operator({
  code: 100,
  name: 'Im2Col',
  attributes: { group: u32, outChannels: u32, ...spatialAttributes },
  inputs: [float32],
  outputs: [0, 'int64'],
});
