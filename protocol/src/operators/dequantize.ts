import { operator } from './description.js';
import { scaleAttributes } from './quantize.js';
import { float32, quantizedTypes } from './types.js';

/** X, scale, zero point?: (X - zero point) * scale. */
export const dequantize = operator({
  code: 61,
  name: 'Dequantize',
  attributes: scaleAttributes,
  inputs: [[...quantizedTypes, 'int32'], float32, [...quantizedTypes, 'int32']],
  outputs: ['float32'],
});
