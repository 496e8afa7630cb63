import { i32 } from './attribute.js';
import { operator } from './description.js';
import { float32 } from './types.js';

/** Exponentials over their sum along an axis, which may be negative. */
export const softmax = operator({
  code: 8,
  name: 'Softmax',
  attributes: { axis: i32 },
  inputs: [float32],
  outputs: [0],
  inPlace: [0],
});
