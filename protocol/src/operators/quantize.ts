import { dtype, i32, u32 } from './attribute.js';
import { operator } from './description.js';
import { float32, quantizedTypes } from './types.js';

/**
 * Which numbers of X share a scale: all where there is one; the places of `axis` where there are as many;
 * and where `block` is not 0, so many neighbours along `axis`.
 */
export const scaleAttributes = { axis: i32, block: u32 };

/** X, scale, zero point?: X / scale rounded half to even, plus the zero point, saturated. */
export const quantize = operator({
  code: 60,
  name: 'Quantize',
  attributes: { to: dtype, ...scaleAttributes },
  inputs: [float32, float32, quantizedTypes],
  outputs: [undefined],
});
