import { bool, f32, u32 } from './attribute.js';
import { operator } from './description.js';
import { float32, indexTypes } from './types.js';

/**
 * X [n,c,h,w], boxes [r,4], the image of each [r]: the mean, or with `largest` the largest, of samples of each
 * bin: [r,c,height,width]. `samples` of a bin along each dimension; 0: as many as it has pixels.
 */
export const roiAlign = operator({
  code: 68,
  name: 'RoiAlign',
  attributes: { height: u32, width: u32, samples: u32, scale: f32, halfPixel: bool, largest: bool },
  inputs: [float32, float32, indexTypes],
  outputs: [0],
});
