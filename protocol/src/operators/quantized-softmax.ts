import { u32 } from './attribute.js';
import { operator } from './description.js';
import { bytes, float32 } from './types.js';

/** X, its scale, scale and zero point of the result: Softmax over all dimensions from `axis` on as one. */
export const quantizedSoftmax = operator({
  code: 66,
  name: 'QuantizedSoftmax',
  attributes: { axis: u32 },
  inputs: [bytes, float32, float32, bytes],
  outputs: [0],
});
