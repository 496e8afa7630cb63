import { u32 } from './attribute.js';
import { operator } from './description.js';
import { spatialAttributes } from './spatial.js';
import { float32 } from './types.js';

/**
 * X [n,c,h,w], offsets [n, offsetGroups * kernel * 2, oh, ow], factors [n, offsetGroups * kernel, oh, ow]?: the
 * columns [n, group, c/group * kernel, oh*ow] of a convolution whose taps lie off their places, down and to the
 * right, by the offsets.
 */
export const deformIm2Col = operator({
  code: 70,
  name: 'DeformIm2Col',
  attributes: { group: u32, offsetGroups: u32, ...spatialAttributes },
  inputs: [float32, float32, float32],
  outputs: [0],
});
