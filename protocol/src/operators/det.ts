import { operator } from './description.js';
import { float32 } from './types.js';

/** Determinants of the matrices [.., n, n]. */
export const det = operator({
  code: 67,
  name: 'Det',
  attributes: {},
  inputs: [float32],
  outputs: [0],
});
