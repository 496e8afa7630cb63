import { bool, oneOf } from './attribute.js';
import { operator } from './description.js';
import { float32 } from './types.js';

export const GridMode = { nearest: 0, linear: 1, cubic: 2 } as const;
/** What lies around an image. */
export const GridPadding = { zeros: 0, border: 1, reflection: 2 } as const;

/**
 * X [n,c,sizes..] of two sizes or three, places [n,sizes..,2 or 3] from -1 to 1, that along the last dimension
 * first: [n,c,sizes..]. `cubic` of two only.
 */
export const gridSample = operator({
  code: 109,
  name: 'GridSample',
  attributes: { mode: oneOf(GridMode), padding: oneOf(GridPadding), alignCorners: bool },
  inputs: [float32, float32],
  outputs: [0],
});
