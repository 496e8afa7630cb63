import { f32, u32 } from './attribute.js';
import { operator } from './description.js';
import { float32 } from './types.js';

/** X [n,c,h,w], boxes [r,5], the image first: the largest pixel of each bin: [r,c,height,width]. */
export const maxRoiPool = operator({
  code: 69,
  name: 'MaxRoiPool',
  attributes: { height: u32, width: u32, scale: f32 },
  inputs: [float32, float32],
  outputs: [0],
});
