import { bool, f32 } from './attribute.js';
import { operator } from './description.js';
import { float32 } from './types.js';

/** A [.., M, K] x B [.., K, N], both computed; leading dimensions broadcast. */
export const matMul = operator({
  code: 4,
  name: 'MatMul',
  attributes: { transA: bool, transB: bool, alpha: f32 },
  inputs: [float32, float32],
  outputs: [0],
});
