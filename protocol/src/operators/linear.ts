import { u32 } from './attribute.js';
import { operator } from './description.js';
import { epilogue } from './epilogue.js';
import { float32 } from './types.js';

/**
 * A [.., K] x packed W [K, N] + bias [N], and the scales of the columns where W is int8. W in bytes is
 * int4 with its scales; see `integer-packing`.
 */
export const linear = operator({
  code: 1,
  name: 'Linear',
  attributes: { k: u32, n: u32, epilogue },
  inputs: [float32, ['float32', 'int8', 'uint8'], float32, float32],
  outputs: [0],
});
