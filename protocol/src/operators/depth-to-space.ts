import { bool, u32 } from './attribute.js';
import { operator } from './description.js';
import { anyType } from './types.js';

/** X [n,c,h,w] to [n,c/b/b,h*b,w*b]; `columns`: channels are ordered by colour first, then by block. */
export const depthToSpace = operator({
  code: 37,
  name: 'DepthToSpace',
  attributes: { block: u32, columns: bool },
  inputs: [anyType],
  outputs: [0],
});
