import { f32, i32 } from './attribute.js';
import { operator } from './description.js';
import { float32 } from './types.js';

/** X, scale, bias?: each part from the axis on with mean 0 and deviation 1, scaled and shifted. */
export const layerNorm = operator({
  code: 9,
  name: 'LayerNorm',
  attributes: { axis: i32, epsilon: f32 },
  inputs: [float32, float32, float32],
  outputs: [0],
  inPlace: [0],
});
